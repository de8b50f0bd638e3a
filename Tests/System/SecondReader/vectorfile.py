"""The text form of a vector: Keystore/FORMAT.md §13, last paragraph."""
import base64
import hashlib
import os
import re


def drawn(label, count):
    """What is random elsewhere: the same bytes in each run."""
    return hashlib.shake_256(b"softtoken vector " + label.encode()).digest(count)


def flipped(content, bit):
    """With a bit of its first byte flipped."""
    return bytes([content[0] ^ bit]) + content[1:]


def escape(text):
    return "".join(c if " " <= c <= "~" and c != "\\" else f"\\u{ord(c):04x}" for c in text)


def unescape(text):
    return re.sub(r"\\u([0-9a-f]{4})", lambda match: chr(int(match[1], 16)), text)


class Vector:
    def __init__(self):
        self.headers = []
        self.items = []  # (kind, path, mode or target, bytes or None)

    def get(self, name):
        return next((value for key, value in self.headers if key == name), None)

    def all(self, name):
        return [value for key, value in self.headers if key == name]

    def text(self):
        lines = [f"{name}: {value}" for name, value in self.headers] + [""]
        for kind, path, detail, content in self.items:
            lines.append(f"{kind} {path} {detail}")
            if kind == "file":
                text = base64.b64encode(content).decode()
                lines += [text[start:start + 76] for start in range(0, len(text), 76)]
                lines.append("")
        return "\n".join(lines) + "\n"

    @classmethod
    def parse(cls, text):
        vector = cls()
        head, _, body = text.partition("\n\n")
        vector.headers = [tuple(line.split(": ", 1)) for line in head.split("\n")]
        lines = iter(body.split("\n"))
        for line in lines:
            if not line:
                continue
            kind, path, detail = line.split(" ")
            content = None
            if kind == "file":
                content = b""
                for part in lines:
                    if not part:
                        break
                    content += base64.b64decode(part, validate=True)
            vector.items.append((kind, path, detail, content))
        return vector

    def unpack(self, root):
        """Makes the folders data/ and state/ below root."""
        for folder in ("data", "state"):
            os.mkdir(os.path.join(root, folder), 0o700)
        folder_modes = []
        for kind, path, detail, content in self.items:
            full = os.path.join(root, path)
            if kind == "file":
                with open(full, "wb") as file:
                    file.write(content)
                os.chmod(full, int(detail, 8))
            elif kind == "link":
                os.symlink(detail, full)
            elif "/" in path:
                os.mkdir(full, int(detail, 8))
            else:
                folder_modes.append((full, int(detail, 8)))
        for full, mode in folder_modes:
            os.chmod(full, mode)
        return os.path.join(root, "data"), os.path.join(root, "state")
