"""Records as core/base/serial.h has them, and the program that answers them in batches."""

import struct
import subprocess


def u8(value):
    return struct.pack("<B", value)


def u16(value):
    return struct.pack("<H", value)


def u32(value):
    return struct.pack("<I", value)


def blob(data):
    return struct.pack("<I", len(data)) + data


class Fields:
    """Takes fields from the front of a record."""

    def __init__(self, record):
        self.record = record
        self.at = 0

    def number(self, form):
        (value,) = struct.unpack_from(form, self.record, self.at)
        self.at += struct.calcsize(form)
        return value

    def u8(self):
        return self.number("<B")

    def u16(self):
        return self.number("<H")

    def blob(self):
        size = self.number("<I")
        self.at += size
        if self.at > len(self.record):
            raise ValueError("a record ends too early")
        return self.record[self.at - size:self.at]

    def is_at_end(self):
        return self.at == len(self.record)


class Stopped(Exception):
    """The program ended in the middle of a batch."""


class Program:
    """`differential answer`. A batch is read whole before it is answered: nobody waits for the other."""

    def __init__(self, path):
        self.path = path
        self.start()

    def start(self):
        self.process = subprocess.Popen([self.path, "answer"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)

    def send(self, records):
        batch = b"".join(blob(record) for record in records)
        try:
            self.process.stdin.write(u32(len(batch)) + batch)
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise self.stopped() from error

    def receive(self):
        size = self.process.stdout.read(4)
        if len(size) < 4:
            raise self.stopped()
        fields = Fields(self.process.stdout.read(struct.unpack("<I", size)[0]))
        answers = []
        while not fields.is_at_end():
            answers.append(fields.blob())
        return answers

    def stopped(self):
        """Starts it again, so that the other cases can still be asked about."""
        self.close()
        status = self.process.returncode
        self.start()
        return Stopped(f"the program stopped itself ({status})")

    def close(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.stdout.close()
        self.process.wait()
