"""What schemathesis needs to know to send the bodies of the API that are not JSON."""
import schemathesis


@schemathesis.serializer("audio/wav")
def wav(context, value):
    return value if isinstance(value, bytes) else str(value).encode()
