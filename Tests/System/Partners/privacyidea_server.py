"""privacyIDEA's own server on SQLite, in a folder of its own, on a free port of the loopback.

    privacyidea_server.py FOLDER     prints the port when it listens; ends with its standard input

Its administrator is admin, with the password test. Needs PyPI: privacyidea.
"""

import base64
import os
import sys
import threading

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

CONFIGURATION = """
SQLALCHEMY_DATABASE_URI = "sqlite:///{folder}/database"
SECRET_KEY = "{secret}"
PI_PEPPER = "{secret}"
PI_ENCFILE = "{folder}/enckey"
PI_AUDIT_KEY_PRIVATE = "{folder}/private.pem"
PI_AUDIT_KEY_PUBLIC = "{folder}/public.pem"
PI_LOGFILE = "{folder}/log"
PI_LOGLEVEL = 30
"""


def write(folder, name, content):
    with open(os.path.join(folder, name), "wb") as file:
        file.write(content)


def prepare(folder):
    """What `pi-manage setup` makes, each of whose steps would start anew for two seconds."""
    secret = base64.b64encode(os.urandom(24)).decode()
    write(folder, "pi.cfg", CONFIGURATION.format(folder=folder, secret=secret).encode())
    write(folder, "enckey", os.urandom(96))
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    write(folder, "private.pem", key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption()))
    write(folder, "public.pem", key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))


def main(folder):
    prepare(folder)
    from privacyidea.app import create_app
    from privacyidea.lib.auth import create_db_admin
    from privacyidea.models import db
    from werkzeug.serving import make_server

    app = create_app("production", os.path.join(folder, "pi.cfg"), silent=True)
    with app.app_context():
        db.create_all()
        create_db_admin("admin", password="test")
    server = make_server("127.0.0.1", 0, app)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1])
