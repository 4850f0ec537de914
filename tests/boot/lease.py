"""A network whose only other member is a DHCP server with short leases, to see a guest renew its own.

QEMU sends each Ethernet frame as a datagram (`-netdev dgram`). Messages: RFC 2131, RFC 2132, RFC 826.
"""

import socket
import struct
import threading

from guest import Guest
from peer import free_port, say, until

SERVER, CLIENT, MASK = (bytes(map(int, text.split("."))) for text in ["10.9.8.1", "10.9.8.15", "255.255.255.0"])
OUR_MAC = bytes([2, 0, 0, 0, 0, 1])

# Seconds.
LEASE = 20

DISCOVER, OFFER, REQUEST, ACK = 1, 2, 3, 5


class Network:
    """Answers ARP and DHCP until the process ends; remembers the requests by what they are."""

    def __init__(self):
        self.renewals, self.leases = 0, 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.guest_port = free_port()
        ours = self.socket.getsockname()[1]
        end = "{0}.type=inet,{0}.host=127.0.0.1,{0}.port={1}"
        self.netdev = "dgram,id=n0," + end.format("local", self.guest_port) + "," + end.format("remote", ours)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            frame = self.socket.recv(2048)
            kind = struct.unpack_from(">H", frame, 12)[0]
            answer = {0x0806: self._arp, 0x0800: self._ip}.get(kind, lambda _: None)(frame)
            if answer:
                self.socket.sendto(frame[6:12] + OUR_MAC + frame[12:14] + answer, ("127.0.0.1", self.guest_port))

    def _arp(self, frame):
        operation, sender, target = frame[20:22], frame[22:32], frame[38:42]
        if operation == b"\0\1" and target == SERVER:
            return frame[14:20] + b"\0\2" + OUR_MAC + SERVER + sender
        return None

    def _ip(self, frame):
        header = (frame[14] & 15) * 4
        udp = 14 + header
        if frame[23] != 17 or struct.unpack_from(">H", frame, udp + 2)[0] != 67:
            return None
        message = frame[udp + 8 :]
        kind, held = self._kind(message), message[12:16]
        if kind == DISCOVER:
            return datagram(self._message(message, OFFER))
        if kind != REQUEST:
            return None
        # Who renews fills in the address that it has (RFC 2131, section 4.3.2).
        if held == CLIENT:
            self.renewals += 1
        else:
            self.leases += 1
        return datagram(self._message(message, ACK))

    def _kind(self, message):
        at = 240
        while at < len(message) and message[at] != 255:
            if message[at] == 53:
                return message[at + 2]
            at += 1 if message[at] == 0 else 2 + message[at + 1]
        return None

    def _message(self, question, kind):
        head = b"\2\1\6\0" + question[4:8] + bytes(4) + question[12:16] + CLIENT + SERVER + bytes(4)
        options = [(53, bytes([kind])), (54, SERVER), (51, struct.pack(">I", LEASE)), (1, MASK)]
        encoded = b"".join(bytes([code, len(value)]) + value for code, value in options)
        return head + question[28:44] + bytes(192) + b"\x63\x82\x53\x63" + encoded + b"\xff" + bytes(32)


def datagram(data):
    """To the client's port, at its address; UDP's checksum may be left out (RFC 768)."""
    udp = struct.pack(">HHHH", 67, 68, 8 + len(data), 0) + data
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, SERVER, CLIENT)
    total = sum(struct.unpack(">10H", head))
    total = (total & 0xFFFF) + (total >> 16)
    checksum = ~(total + (total >> 16)) & 0xFFFF
    return head[:10] + struct.pack(">H", checksum) + head[12:] + udp


def check(image):
    network = Network()
    with Guest(image, network=network.netdev):
        until(lambda: network.leases > 0, "the guest asks for an address")
        until(lambda: network.renewals >= 2, "the guest renews its lease, twice")
    say(f"  an address for {LEASE} s was given out {network.leases} times and renewed {network.renewals} times")
    assert network.leases == 1, "the guest lost its address, and asked anew"
