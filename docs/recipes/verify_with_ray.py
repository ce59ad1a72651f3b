"""Verifies all logs below a folder on a Ray cluster, and prints exit status, damaged ranges and path of each."""
import json
import pathlib
import subprocess
import sys

import ray


# The exit statuses, the worst first.
WORST_FIRST = [1, 2, 6, 3, 4, 5, 0]


@ray.remote(num_cpus=1)
def verify(path):
    run = subprocess.run(["chronicle", "verify", "--json", "--threads", "1", "--", path], capture_output=True, text=True)
    # A process that a signal has ended has a negative status, and an incomplete output.
    status = run.returncode if run.returncode in WORST_FIRST else 1
    findings = json.loads(run.stdout)["findings"] if status in (0, 3, 4, 5) else []
    return status, sum(finding["damage"] for finding in findings), path, run.stderr.strip()


# A folder of segments is one log, which its log.json identifies. Removed segments are no logs.
files = [file for file in pathlib.Path(sys.argv[1]).rglob("*.log") if ".removed" not in file.parts]
logs = sorted({str(file.parent if (file.parent / "log.json").exists() else file) for file in files})
ray.init(log_to_driver=False, logging_level="error")
results = sorted(ray.get([verify.remote(log) for log in logs]), key=lambda result: WORST_FIRST.index(result[0]))
for status, damaged, path, message in results:
    print(status, damaged, path, message)
sys.exit(results[0][0] if results else 0)
