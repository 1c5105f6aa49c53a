"""A Hub on the loopback interface: what huggingface_hub and datasets ask of a server, answered from a folder.

with loopback_hub(tmp_path) as hub:
    subprocess.run([sys.executable, "-c", SCRIPT], env={**os.environ, **hub.env()}, check=True)
    assert hub.unknown == []
"""

from tests.hub.account import User
from tests.hub.fault import KINDS, Fault
from tests.hub.server import LoopbackHub, loopback_hub

__all__ = ["KINDS", "Fault", "LoopbackHub", "User", "loopback_hub"]
