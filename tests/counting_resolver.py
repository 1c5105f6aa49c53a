"""Run a command where the only thing on the network is a resolver that counts: prints the names that were looked up, one a line.

unshare --user --map-root-user --net --mount python -m tests.counting_resolver SECONDS COMMAND…

Linux only. The command is stopped after so many seconds, which is no fault; its exit code is this one's otherwise.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading

_SET_FLAGS, _UP, _BIND = 0x8914, 0x1, 4096


def loopback_up() -> None:
    """The new network has a loopback device, which is down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh14x", b"lo", _UP))


def own_resolver() -> None:
    """Every look-up of this mount namespace goes to 127.0.0.1."""
    with tempfile.NamedTemporaryFile("w", delete=False) as made:
        made.write("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(made.name.encode(), os.path.realpath("/etc/resolv.conf").encode(), None, _BIND, None):
        raise OSError(ctypes.get_errno(), "mount")


def answering(server: socket.socket) -> None:
    """No such name, whatever is asked; the name is printed."""
    while True:
        asked, who = server.recvfrom(4096)
        parts, rest = [], asked[12:]
        while rest and rest[0]:
            parts.append(rest[1 : 1 + rest[0]].decode("ascii", "replace"))
            rest = rest[1 + rest[0] :]
        print("looked up:", ".".join(parts), flush=True)
        server.sendto(asked[:2] + b"\x81\x83" + asked[4:6] + b"\0" * 6 + asked[12:], who)


def main() -> int:
    loopback_up()
    own_resolver()
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))
    threading.Thread(target=answering, args=(server,), daemon=True).start()
    child = subprocess.Popen(sys.argv[2:])
    try:
        return child.wait(float(sys.argv[1]))
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
        return 0


if __name__ == "__main__":
    sys.exit(main())
