"""A certificate of a peer's own for 127.0.0.1, signed by itself."""
import subprocess

from .ports import LOOPBACK


def own_certificate(folder, name):
    """Makes (certificate, key), both PEM, in a folder."""
    files = (folder / f"{name}.pem", folder / f"{name}.key")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "9",
               "-subj", f"/CN={name}", "-addext", f"subjectAltName=IP:{LOOPBACK}", "-addext", "basicConstraints=CA:FALSE",
               "-keyout", files[1], "-out", files[0]]
    subprocess.run(command, check=True, capture_output=True)
    return files
