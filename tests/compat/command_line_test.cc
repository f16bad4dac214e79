// SPDX-License-Identifier: MIT
// What QUARRY_CMDLINE does, and what the default system is without it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "probe_run.h"

namespace {

std::string machine(const std::string& command_line) {
  return run_probe("machine", command_line).out;
}

// The one line that refuses a command line, without running the program.
void expect_refused(const std::string& command_line, const std::string& line) {
  const ProbeRun run = run_probe("machine", command_line);
  EXPECT_EQ(run.exit_status, 2) << command_line;
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(run.err, line + "\n");
}

int resident_kib(const ProbeRun& run) {
  return std::stoi(run.out.substr(run.out.find_first_of("0123456789")));
}

TEST(DefaultSystem, has_one_gib_and_one_node) {
  const ProbeRun run = run_probe("machine");
  EXPECT_TRUE(run.clean());
  EXPECT_EQ(run.out, "MiB 1024 nodes 1\n");
}

TEST(DefaultSystem, costs_little_while_idle) {
  for (const char* command_line : {"", "nr_cpus=64", "numa=fake=4"}) {
    const ProbeRun run = run_probe("idle", command_line);
    EXPECT_TRUE(run.clean());
    EXPECT_LT(resident_kib(run), 8 * 1024) << command_line << run.out;
  }
}

TEST(DefaultSystem, serves_constructors_and_exit_handlers) {
  const ProbeRun run = run_probe("at_exit");
  EXPECT_TRUE(run.clean());
  EXPECT_EQ(run.out, "at exit: 1\n");
}

TEST(DefaultSystem, gives_a_child_its_own_copy) {
  const ProbeRun run = run_probe("forked");
  EXPECT_TRUE(run.clean()) << run.err;
  EXPECT_EQ(run.out, "child 0, parent still parent parent\n") << run.err;
}

TEST(CommandLine, sets_up_the_machine) {
  EXPECT_EQ(machine("mem=2G"), "MiB 2048 nodes 1\n");
  EXPECT_EQ(machine("mem=512M numa=fake=2"), "MiB 512 nodes 2\n");
  EXPECT_EQ(machine("numa=fake=256M"), "MiB 1024 nodes 4\n");
  EXPECT_EQ(machine("numa=off mem=0x8000000"), "MiB 128 nodes 1\n");
  EXPECT_EQ(machine("  mem=\"256M\"\t\"nr_cpus=3\"\nslab_engine=slub "), "MiB 256 nodes 1\n");
  EXPECT_EQ(machine("maxcpus=1"), "MiB 1024 nodes 1\n");
  EXPECT_EQ(machine("nosmp possible-cpus=2"), "MiB 1024 nodes 1\n");
}

TEST(CommandLine, names_what_it_does_not_know_and_goes_on) {
  const ProbeRun run = run_probe("machine", "mem=256M root=/dev/sda1 mem.x=1 \"odd one\" ro");
  EXPECT_TRUE(run.clean());
  EXPECT_EQ(run.out, "MiB 256 nodes 1\n");
  EXPECT_EQ(count(run.err,
                  "Unknown kernel command line parameters \"root=/dev/sda1 \"odd one\" ro\", "
                  "ignored.\n"),
            1)
      << run.err;
}

// A dot is a module's, but for the first parts that are the system's own.
TEST(CommandLine, names_parameters_of_its_own_that_there_are_not) {
  const std::string own = "quarry.x=1 failslab.x=1 failslab.min-order=0 fail-page-alloc.x";
  const ProbeRun run = run_probe("machine", own + " other.x=1");
  EXPECT_TRUE(run.clean());
  EXPECT_EQ(run.err, "Unknown kernel command line parameters \"" + own +
                         "\", ignored.\n"
                         "module exits\n");
}

TEST(CommandLine, refuses_impossible_values) {
  expect_refused("mem=much", "QUARRY_CMDLINE: mem=much: not a size");
  expect_refused("mem", "QUARRY_CMDLINE: mem: needs a value");
  expect_refused("mem=99999999999G", "QUARRY_CMDLINE: mem=99999999999G: not a size");
  expect_refused("mem=2K", "quarry: no machine for the default system: no RAM");
  expect_refused("mem=4M numa=fake=3",
                 "quarry: no machine for the default system: less than 2 MiB of RAM for a node");
  expect_refused("numa=fake=0", "QUARRY_CMDLINE: numa=fake=0: not 1 to 32 nodes");
  expect_refused("numa=real", "QUARRY_CMDLINE: numa=real: neither fake=N, fake=SIZE nor off");
  expect_refused("numa=fake=1M", "QUARRY_CMDLINE: numa=fake=SIZE: that makes more than 32 nodes");
  expect_refused("nr_cpus=0", "QUARRY_CMDLINE: nr_cpus=0: not a number of CPUs");
  expect_refused("nr_cpus=5000", "QUARRY_CMDLINE: nr_cpus=5000: more than 1024 CPUs");
  expect_refused("slab_engine=slob9", "QUARRY_CMDLINE: slab_engine=slob9: no such slab engine");
  expect_refused("failslab=1,2,3",
                 "QUARRY_CMDLINE: failslab=1,2,3: not interval,probability,space,times");
  expect_refused("failslab=1,101,0,-1",
                 "QUARRY_CMDLINE: failslab=1,101,0,-1: the probability is above 100");
  expect_refused("fail_page_alloc.min-order=11",
                 "QUARRY_CMDLINE: fail_page_alloc.min-order=11: out of range");
}

TEST(CommandLine, chooses_the_slab_engine) {
  for (const char* engine : {"slub", "slab", "slob"}) {
    EXPECT_EQ(run_probe("attempts", std::string("slab_engine=") + engine).out, "failed 0 0\n");
  }
  EXPECT_EQ(run_probe("attempts", "mem=1M nr_cpus=1 slab_engine=slob").out, "failed 0 0\n");
}

// name, active_objs, num_objs, objsize, objperslab, pagesperslab, limit, batchcount, sharedfactor
std::string rows(const std::string& command_line) { return run_probe("rows", command_line).out; }

std::string two_rows(const char* of_700, const char* of_512, const char* tunables_700,
                     const char* tunables_512) {
  return std::string("probe_700              0      0 ") + of_700 + " : tunables " + tunables_700 +
         "\nkmalloc-512            0      0 " + of_512 + " : tunables " + tunables_512 + "\n";
}

std::string slub_rows(const char* of_700, const char* of_512) {
  return two_rows(of_700, of_512, "   0    0    0", "   0    0    0");
}

TEST(CommandLine, bounds_the_slabs_of_slub) {
  EXPECT_EQ(rows("nr_cpus=4"), slub_rows("   704   23    4", "   512   16    2"));
  EXPECT_EQ(rows("nr_cpus=1"), slub_rows("   704   11    2", "   512    8    1"));
  EXPECT_EQ(rows("nr_cpus=4 slub_max_order=0"), slub_rows("   704    5    1", "   512    8    1"));
  EXPECT_EQ(rows("nr_cpus=4 slub_min_order=3"), slub_rows("   704   46    8", "   512   64    8"));
  EXPECT_EQ(rows("nr_cpus=4 slub_min_objects=64"),
            slub_rows("   704   46    8", "   512   64    8"));
  // As in Linux the largest there is stands for anything above.
  EXPECT_EQ(rows("slub_min_objects=1000 slub_max_order=99"),
            slub_rows("   704 1489  256", "   512 1024  128"));
  // Another engine's parameters are read, and nothing comes of them.
  EXPECT_EQ(rows("nr_cpus=4 slab_max_order=0 noaliencache"),
            slub_rows("   704   23    4", "   512   16    2"));
}

TEST(CommandLine, bounds_the_slabs_of_slab) {
  const std::string slab = "slab_engine=slab nr_cpus=2 ";
  const char* const small = "  54   27    8";
  EXPECT_EQ(rows(slab), two_rows("   704   11    2", "   512    8    1", small, small));
  EXPECT_EQ(rows(slab + "slab_max_order=0"),
            two_rows("   704    5    1", "   512    8    1", small, small));
  EXPECT_EQ(rows(slab + "mem=32M"), two_rows("   704    5    1", "   512    8    1", small, small));
  EXPECT_EQ(rows(slab + "mem=32M slab_max_order=1"),
            two_rows("   704   11    2", "   512    8    1", small, small));
  // No shared array on a machine with one CPU.
  EXPECT_EQ(rows("slab_engine=slab nosmp slub_max_order=0"),
            two_rows("   704   11    2", "   512    8    1", "  54   27    0", "  54   27    0"));
  EXPECT_EQ(rows("slab_engine=slob"), "none\nnone\n");
}

TEST(CommandLine, sends_objects_of_other_nodes_home) {
  const std::string nodes = "slab_engine=slab numa=fake=2 nr_cpus=2";
  EXPECT_EQ(run_probe("aliens", nodes).out, "waiting 12\n");
  EXPECT_EQ(run_probe("aliens", nodes + " noaliencache").out, "waiting 0\n");
}

TEST(CommandLine, merges_caches_or_not) {
  for (const std::string engine : {"slab_engine=slub ", "slab_engine=slab "}) {
    EXPECT_EQ(run_probe("aliases", engine).out, "merged 1\n");
    EXPECT_EQ(run_probe("aliases", engine + "slab_nomerge").out, "merged 0\n");
    EXPECT_EQ(run_probe("aliases", engine + "slub_nomerge").out, "merged 0\n");
    EXPECT_EQ(run_probe("aliases", engine + "slab_nomerge slab_merge").out, "merged 1\n");
    EXPECT_EQ(run_probe("aliases", engine + "slub_merge slub_nomerge").out, "merged 0\n");
  }
  EXPECT_EQ(run_probe("aliases", "slab_engine=slob").out, "merged 0\n");
}

TEST(CommandLine, zeroes_memory) {
  for (const std::string engine : {"slab_engine=slub", "slab_engine=slab", "slab_engine=slob"}) {
    EXPECT_EQ(run_probe("zeroing", engine).out, "freed 0 0 taken 0 0\n") << engine;
    EXPECT_EQ(run_probe("zeroing", engine + " init_on_alloc=1").out, "freed 0 0 taken 1 1\n")
        << engine;
    EXPECT_EQ(run_probe("zeroing", engine + " init_on_alloc=1 init_on_alloc=0").out,
              "freed 0 0 taken 0 0\n")
        << engine;
  }
  for (const std::string engine : {"slab_engine=slub", "slab_engine=slab"}) {
    EXPECT_EQ(run_probe("zeroing", engine + " init_on_free=on").out, "freed 1 1 taken 1 1\n");
  }
  // Free objects of SLOB are zeroed when they are given out.
  EXPECT_EQ(run_probe("zeroing", "slab_engine=slob init_on_free=on").out, "freed 0 1 taken 1 1\n");
}

TEST(CommandLine, hardens_and_shuffles_the_lists_of_slub) {
  EXPECT_EQ(run_probe("links").out, "in order 1, plain 1\n");
  EXPECT_EQ(run_probe("links", "quarry.slub_hardened=Y").out, "in order 1, plain 0\n");
  EXPECT_EQ(run_probe("links", "quarry.slub_random=1").out, "in order 0, plain 1\n");
  EXPECT_EQ(run_probe("links", "quarry.slub_random=Y quarry.slub-hardened=on").out,
            "in order 0, plain 0\n");
}

TEST(CommandLine, refuses_impossible_values_of_slabs) {
  const auto refused = [](const std::string& parameter, const std::string& why) {
    expect_refused(parameter, "QUARRY_CMDLINE: " + parameter + ": " + why);
  };
  refused("slab_engine=slaab", "no such slab engine");
  refused("slab_engine", "needs a value");
  refused("slab_max_order=large", "not an order");
  refused("slab_max_order=-1", "not an order");
  refused("slub_min_order=11", "not an order from 0 to 10");
  refused("slub_min_order=", "not an order from 0 to 10");
  refused("slub_max_order=x", "not an order");
  refused("slub_min_objects=65536", "not a number of objects");
  refused("init_on_alloc=2", "neither 0 nor 1");
  refused("init_on_free=maybe", "neither 0 nor 1");
  refused("init_on_free", "needs a value");
  refused("quarry.slub_hardened=2", "neither Y nor N");
  refused("quarry.slub_random=2", "neither Y nor N");
}

// Lines written to slabinfo with what write() says, and the reaper, which spares what was used
// since.
TEST(CommandLine, gives_slab_its_tunables_and_its_reaper) {
  EXPECT_EQ(run_probe("tunables", "slab_engine=slab nr_cpus=2").out,
            "18 probe_tuned 10 5 0\n"
            "probe_tuned            0      0     64   64    1 : tunables   10    5    0\n"
            "-12 probe_tuned 127 60 8\n"
            "-22 probe_tuned 10 5\n"
            "-22 nobody 10 5 0\n"
            "17 probe_tuned 0 0 0\n"
            "waiting 10 8 6 4 2 0 0 0\n");
  EXPECT_EQ(count(run_probe("tunables").out, "-5 "), 5);
}

TEST(CommandLine, injects_faults) {
  EXPECT_EQ(run_probe("attempts").out, "failed 0 0\n");
  // Requests that may sleep are left alone until that is changed, as in the kernel.
  EXPECT_EQ(run_probe("attempts", "failslab=1,100,0,-1").out, "failed 0 0\n");
  EXPECT_EQ(run_probe("attempts", "failslab=1,100,0,-1 failslab.ignore-gfp-wait=N quiet").out,
            "failed 100 0\n");
  EXPECT_EQ(run_probe("attempts", "failslab=10,100,0,-1 failslab.ignore-gfp-wait=0").out,
            "failed 10 0\n");
  EXPECT_EQ(run_probe("attempts", "failslab=1,100,0,7 failslab.ignore-gfp-wait=0").out,
            "failed 7 0\n");
  const std::string pages = "fail_page_alloc=1,100,0,-1 fail_page_alloc.ignore-gfp-wait=0 ";
  EXPECT_EQ(run_probe("attempts", pages).out, "failed 0 0\n");
  EXPECT_EQ(run_probe("attempts", pages + "fail_page_alloc.min-order=0").out, "failed 100 100\n");
}

TEST(CommandLine, knows_every_attribute_of_faults) {
  const std::string all =
      "failslab=1,100,0,-1 failslab.ignore-gfp-wait=N failslab.verbose=0 "
      "failslab.verbose_ratelimit_interval_ms=100 failslab.verbose-ratelimit-burst=3 ";
  const ProbeRun run = run_probe("attempts", all);
  EXPECT_EQ(run.out, "failed 100 0\n");
  EXPECT_EQ(run.err, "module exits\n");
  EXPECT_EQ(run_probe("attempts", all + "failslab.cache-filter=Y").out, "failed 0 0\n");
  EXPECT_EQ(run_probe("attempts", all + "failslab.task-filter=Y").out, "failed 0 0\n");
  EXPECT_EQ(run_probe("attempts", all + "failslab.times=4").out, "failed 4 0\n");
  EXPECT_EQ(run_probe("attempts", all + "failslab.space=640").out, "failed 91 0\n");
  EXPECT_EQ(run_probe("attempts", all + "failslab.interval=50").out, "failed 2 0\n");
  EXPECT_EQ(run_probe("attempts", all + "failslab.probability=0").out, "failed 0 0\n");
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(CommandLine, keeps_the_texts_of_proc_in_files) {
  char name_of_folder[] = "/tmp/quarry-proc-XXXXXX";
  const std::filesystem::path folder = mkdtemp(name_of_folder);
  const ProbeRun run = run_probe("leftovers", "quarry.proc=" + (folder / "proc").string());
  EXPECT_TRUE(run.clean());
  // As the program left it.
  EXPECT_NE(read_file(folder / "proc/slabinfo").find("\nprobe_leaky            1 "),
            std::string::npos);
  for (const char* name : {"buddyinfo", "meminfo", "pagetypeinfo", "zoneinfo"}) {
    EXPECT_NE(read_file(folder / "proc" / name), "") << name;
  }
  EXPECT_EQ(read_file(folder / "proc/vmallocinfo"), "");
  std::filesystem::remove_all(folder);
}

TEST(CommandLine, tells_at_the_end_what_was_never_freed) {
  const ProbeRun run = run_probe("leftovers", "quarry.leaks slub_debug=U,probe_leaky");
  EXPECT_TRUE(run.clean());
  EXPECT_EQ(count(run.err,
                  "probe_leaky: 1 objects were never freed\n"
                  "probe_leaky: who allocated what was never freed:\n"),
            1)
      << run.err;
  EXPECT_GE(count(run.err, "leftovers+0x"), 1);
  EXPECT_EQ(count(run_probe("leftovers", "quarry.leaks=N").err, "were never freed"), 0);
}

TEST(CommandLine, refuses_a_folder_that_cannot_be_written) {
  expect_refused("quarry.proc=/dev/null", "QUARRY_CMDLINE: quarry.proc=/dev/null: Not a directory");
}

TEST(CommandLine, decides_by_its_seed) {
  const std::string half = "failslab=1,50,0,-1 failslab.ignore-gfp-wait=0 quarry.seed=";
  const std::string one = run_probe("attempts", half + "1").out;
  EXPECT_EQ(one, run_probe("attempts", half + "1").out);
  EXPECT_NE(one, "failed 0 0\n");
  EXPECT_NE(one, "failed 100 0\n");
}

TEST(CommandLine, sets_the_console_level) {
  EXPECT_EQ(count(run_probe("params", "quiet").err, "module exits"), 0);
  EXPECT_EQ(count(run_probe("params", "loglevel=6").err, "module exits"), 0);
  EXPECT_EQ(count(run_probe("params", "loglevel=7").err, "module exits"), 1);
  EXPECT_EQ(count(run_probe("warnings", "debug").err, "quiet by default"), 1);
}

TEST(Modules, get_their_parameters) {
  EXPECT_EQ(run_probe("params").out, "1 unset 0\n");
  EXPECT_EQ(run_probe("params", "probe.number=0x10 probe.text=\"two words\" probe.flag").out,
            "16 two words 1\n");
  EXPECT_EQ(run_probe("params", "probe.flag=n other.number=3").out, "1 unset 0\n");
}

TEST(Modules, refuse_values_that_do_not_fit) {
  const ProbeRun run = run_probe("params", "probe.number=many");
  EXPECT_EQ(run.err, "probe: `many' invalid for parameter `number'\n");
  const ProbeRun unknown = run_probe("params", "probe.size=1");
  EXPECT_EQ(count(unknown.err, "probe: unknown parameter 'size' ignored\n"), 1) << unknown.err;
}

TEST(Modules, exit_in_order_unless_their_init_failed) {
  EXPECT_EQ(run_probe("params").err, "module exits\n");
  const ProbeRun failed = run_probe("params", "probe.number=-12");
  EXPECT_TRUE(failed.clean());
  EXPECT_EQ(failed.err, "probe: module init failed: -12 (Cannot allocate memory)\n");
}

}  // namespace
