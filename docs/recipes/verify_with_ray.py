"""Verifies all logs below a folder on a Ray cluster, and prints exit status, damaged ranges and path of each."""
import json
import pathlib
import subprocess
import sys

import ray


@ray.remote(num_cpus=1)
def verify(path):
    run = subprocess.run(["chronicle", "verify", "--json", "--threads", "1", "--", path], capture_output=True, text=True)
    findings = json.loads(run.stdout)["findings"] if run.stdout else []
    return run.returncode, sum(finding["damage"] for finding in findings), path, run.stderr.strip()


# A folder of segments is one log, which its log.json identifies.
files = pathlib.Path(sys.argv[1]).rglob("*.log")
logs = sorted({str(file.parent if (file.parent / "log.json").exists() else file) for file in files})
ray.init(log_to_driver=False, logging_level="error")
results = sorted(ray.get([verify.remote(log) for log in logs]), reverse=True)
for status, damaged, path, message in results:
    print(status, damaged, path, message)
sys.exit(max((status for status, *_ in results), default=0))
