#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every loop runs, run.py reads what they print, and its verdicts are right. Measures nothing.

    smoke_test.py BUILD_FOLDER
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

import contenders
import measure
import report
import targets

BUILD = ""
RUN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "run.py")
PEER_LOOPS = ["hot_pair/64", "hot_pair/8192", "hot_pair_const/64", "batch_fifo/1000",
              "batch_lifo/1000", "batch_random/100000", "replace/1000", "replace/100000",
              "zeroed/4096", "other_thread/64", "threads_swap/64"]


def run(*arguments):
    return subprocess.run([sys.executable, RUN, "--build", BUILD, *arguments],
                          capture_output=True, text=True, check=False)


class Executables(unittest.TestCase):
    def test_every_loop_of_every_contender_runs(self):
        found, absent = contenders.find_contenders(BUILD, ["glibc", "mmap"])
        for line in absent:
            self.assertTrue(line.startswith("quarry:"), line)
        for contender in found:
            loops = measure.list_loops(contender)
            if contender.name == "mmap":
                self.assertEqual(loops, ["mmap_touch/1", "mmap_touch/16", "mmap_touch/256"])
            else:
                self.assertLessEqual(set(PEER_LOOPS), set(loops))
            records, _ = measure.time_loops(contender, loops, min_time=1e-6)
            self.assertEqual(set(records), set(loops))
            for loop, record in records.items():
                self.assertGreater(measure.pair_ns(record), 0, loop)

    def test_fixed_iterations_run_exactly_once(self):
        contender = contenders.find_contenders(BUILD, ["glibc"])[0][-1]
        wanted = f"--benchmark_filter={measure.exact_filter(['hot_pair/8'])}"
        text = measure.start(contender, ["--iterations=7", "--benchmark_format=json", wanted],
                             measure.cpus_for([]))
        runs = json.loads(text)["benchmarks"]
        self.assertEqual([(r["name"], r["iterations"]) for r in runs],
                         [("hot_pair/8/iterations:7", 7)])

    def test_a_peer_that_is_not_installed_is_named_and_left_out(self):
        with unittest.mock.patch.object(contenders, "LIBRARY_FOLDERS", []):
            found, absent = contenders.find_contenders(BUILD, ["glibc", "jemalloc"])
        self.assertIn("glibc", [contender.name for contender in found])
        self.assertNotIn("jemalloc", [contender.name for contender in found])
        self.assertIn("jemalloc: libjemalloc.so.2 is not installed", absent)

    def test_another_malloc_than_the_preloaded_one_is_refused(self):
        contender = contenders.Contender("glibc", "", preload="/lib/libother.so")
        with self.assertRaises(measure.BenchError):
            measure.check_context(contender, {"malloc": "/lib/libc.so.6"})


class Run(unittest.TestCase):
    def test_quick_run_writes_table_and_json(self):
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "bench.json")
            done = run("--quick", "--repetitions", "1", "--filter", "hot_pair.*/64$", "--json", out)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("hot_pair_const/64", done.stdout)
            with open(out, encoding="utf-8") as file:
                loops = {figure["loop"]: figure for figure in json.load(file)["loops"]}
        self.assertGreater(loops["hot_pair/64"]["ns"]["glibc"], 0)
        self.assertGreater(loops["hot_pair_const/64"]["ns"]["glibc"], 0)

    def test_bad_input_is_status_2(self):
        for arguments in (["--peers", "nobody"], ["--filter", "no_such_loop"], ["--filter", "("],
                          ["--repetitions", "0"]):
            done = run(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertNotIn("Traceback", done.stderr, arguments)


class Figures(unittest.TestCase):
    def test_ratio_and_verdicts(self):
        rows = targets.rows_for(["hot_pair/64", "page_pair/0", "vmalloc_fresh/16"],
                                ["hot_pair/64", "mmap_touch/16", "mmap_touch/1"], "")
        self.assertEqual([row.loop for row in rows],
                         ["hot_pair/64", "page_pair/0", "vmalloc_fresh/16", "mmap_touch/1"])
        samples = {("quarry", "hot_pair/64"): [2.0, 9.0, 2.7], ("a", "hot_pair/64"): [4.0],
                   ("b", "hot_pair/64"): [3.0], ("quarry", "page_pair/0"): [8.5],
                   ("quarry", "vmalloc_fresh/16"): [2.0], ("mmap", "mmap_touch/16"): [10.0]}
        hot, page, fresh, alone = report.figures(rows, ["quarry", "a", "b", "mmap"], samples, {})
        self.assertEqual((hot["fastest_peer"], hot["ns"]["quarry"]), ("b", 2.7))
        self.assertAlmostEqual(hot["ratio"], 0.9)
        self.assertEqual(hot["targets"]["required"]["verdict"], "met")
        self.assertEqual(hot["targets"]["aim"]["verdict"], "missed")
        self.assertIsNone(page["ratio"])
        self.assertEqual(page["targets"]["required"]["verdict"], "missed")
        self.assertEqual(fresh["targets"]["aim"]["verdict"], "met")
        self.assertEqual(alone["targets"], {})

    def test_names_lose_what_google_benchmark_appends(self):
        self.assertEqual(measure.loop_name("other_thread/64/iterations:5/real_time"),
                         "other_thread/64")


if __name__ == "__main__":
    BUILD = sys.argv.pop(1)
    unittest.main()
