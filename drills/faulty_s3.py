"""A proxy before S3 that misbehaves: `python3 faulty_s3.py HOST PORT` listens on 4566. Standard library only, as it runs in a bare container.

Of each four requests one is answered with 500 or 503, one's connection is reset, one is passed on and its answer thrown away, and one is
served. The client sees the third as a failure, and S3 has done what was asked.
"""

import asyncio
import itertools
import socket
import struct
import sys
from collections.abc import Iterator

PORT = 4566
FATES = (
    "500 Internal Server Error",
    "reset",
    "served",
    "answer lost",
    "503 Service Unavailable",
    "reset",
    "served",
    "answer lost",
)


async def serve(
    client: asyncio.StreamReader, back: asyncio.StreamWriter, fates: Iterator[str], s3: tuple[str, int]
) -> None:
    """One request of a connection, which is then closed."""
    try:
        head = await client.readuntil(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        request = head + await client.readexactly(length)
        fate = next(fates)
        if fate != "served":
            print(f"fault: {fate}", flush=True)
        if fate == "reset":
            # No time to linger: the other side gets a RST.
            back.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif fate in ("served", "answer lost"):
            answer = await ask(s3, request)
            if fate == "served":
                back.write(answer)
        else:
            back.write(f"HTTP/1.1 {fate}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await back.drain()
    except (asyncio.IncompleteReadError, OSError):
        pass  # the client went away, or S3 is out of reach: the connection ends without an answer
    finally:
        back.close()


async def ask(s3: tuple[str, int], request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(*s3)
    # The end of the connection is the end of the answer.
    writer.write(request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
    await writer.drain()
    answer = await reader.read()
    writer.close()
    return answer


async def main(host: str, port: int) -> None:
    fates = itertools.cycle(FATES)
    server = await asyncio.start_server(lambda client, back: serve(client, back, fates, (host, port)), "0.0.0.0", PORT)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
