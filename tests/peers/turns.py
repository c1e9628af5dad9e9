"""TLS of one thread that reads while another sends: OpenSSL's connections are not made for that before Python 3.14, and now
and then lose what was sent. Here the two take turns."""
import select
import ssl
import threading


class TurnsSocket(ssl.SSLSocket):
    def __new__(cls, *arguments, **options):
        made = super().__new__(cls, *arguments, **options)
        made.turn = threading.Lock()
        return made

    def sendall(self, data, flags=0):
        with self.turn:
            return super().sendall(data, flags)

    def recv(self, buflen=1024, flags=0):
        limit = self.gettimeout()
        while True:
            # The wait is outside of the lock; what is decrypted already makes no socket ready.
            try:
                if not self.pending() and not select.select([self], [], [], limit)[0]:
                    raise TimeoutError("nothing came")
            except ValueError:
                raise OSError("closed") from None
            with self.turn:
                self.settimeout(0)
                try:
                    return super().recv(buflen, flags)
                except ssl.SSLWantReadError:
                    continue
                finally:
                    self.settimeout(limit)


def client_context(trusted=None):
    """Trusts the certificate in a file, or whoever answers."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if trusted is not None:
        context.load_verify_locations(trusted)
    else:
        # The authorities of this machine are not read: that takes longer than a handshake.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.sslsocket_class = TurnsSocket
    return context
