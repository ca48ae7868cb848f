"""docs/api.yaml and the gateway agree: calls made up from the one are answered as it says."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from test_api import KEY, Served

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "api.yaml"
PROGRAM = os.environ.get("E2E_SCHEMATHESIS", "")
SECONDS = 120


# Left out are those that judge by the status whether a request was accepted: here it is 200 with an
# error inside, or 400 for what is right in itself and not to be had in that channel.
CHECKS = ("not_a_server_error,status_code_conformance,content_type_conformance,"
          "response_headers_conformance,response_schema_conformance,unsupported_method,"
          "allow_header_conformance,ignored_auth")


@unittest.skipUnless(os.path.exists(PROGRAM), "schemathesis is not installed: ./dev test tries to")
class Schema(unittest.TestCase):
    def test_calls_made_up_from_it_are_answered_as_it_says(self):
        with Served("--api-max-body", "64KiB") as served, tempfile.TemporaryDirectory() as folder:
            command = [PROGRAM, "run", str(SCHEMA), "--url", served.url, "--header",
                       f"X-API-Key: {KEY}", "--max-examples", "20", "--seed", "1", "--checks", CHECKS,
                       "--phases", "examples,coverage,fuzzing", "--no-color",
                       "--generation-database", "none"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS,
                                  cwd=folder, check=False)
            self.assertEqual(done.returncode, 0, done.stdout[-6000:] + done.stderr[-2000:])


if __name__ == "__main__":
    unittest.main()
