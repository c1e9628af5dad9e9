"""A certificate of a peer's own, signed by itself."""
import subprocess

from .ports import LOOPBACK


def own_certificate(folder, name, host=LOOPBACK):
    """Makes (certificate, key) for an address, both PEM, in a folder."""
    files = (folder / f"{name}.pem", folder / f"{name}.key")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "9",
               "-subj", f"/CN={name}", "-addext", f"subjectAltName=IP:{host}", "-addext", "basicConstraints=CA:FALSE",
               "-keyout", files[1], "-out", files[0]]
    subprocess.run(command, check=True, capture_output=True)
    return files
