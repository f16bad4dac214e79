#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each lint refuses a bad sample, for the reason it should, and passes the good one beside it.

  self_test.py C++-COMPILER

The lints that need clang are tried where clang is installed.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
COMPILER = sys.argv.pop(1) if len(sys.argv) > 1 else "g++"
HEAD = "// SPDX-License-Identifier: MIT\n"
MARK = "TO" + "DO"


class Sample(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = folder.name

    def write(self, path, text, head=HEAD):
        whole = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(whole), exist_ok=True)
        with open(whole, "w", encoding="utf-8") as file:
            file.write(head + text)
        return whole

    def lint(self, name, *arguments):
        run = subprocess.run([os.path.join(HERE, name), *(arguments or [self.root])], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return run.returncode, run.stdout

    def passes(self, name, *arguments):
        status, text = self.lint(name, *arguments)
        self.assertEqual(status, 0, text)

    def refuses(self, reason, name, *arguments):
        status, text = self.lint(name, *arguments)
        self.assertNotEqual(status, 0, f"{name} let it pass")
        self.assertIn(reason, text)

    def compile(self, text, *flags):
        source = self.write("sample.cc", text)
        compiled = source[:-2] + "o"
        subprocess.run([COMPILER, "-std=c++20", "-O1", "-fPIC", "-fno-exceptions", "-fno-rtti", "-c",
                        *flags, source, "-o", compiled], check=True)
        return compiled


class Rooms(Sample):
    def refuses_include(self, path, line, reason):
        whole = self.write(path, line + "\n")
        self.refuses(reason, "rooms.py")
        os.remove(whole)

    def test_good(self):
        self.write("src/zone/zone.h", '#include <atomic>\n#include "base/bits.h"\n#include "zone/a.h"\n'
                   "#include <quarry/abi/page.h>\n#if defined(NDEBUG)\n#endif\n")
        self.write("tools/quarry/own.h", "")
        self.write("tools/quarry/main.cc",
                   '#include <vector>\n#include "own.h"\n#include <quarry/memory_system.h>\n')
        self.passes("rooms.py")

    def test_player(self):
        self.write("replay/own.h", '#include <span>\n#include <quarry/units.h>\n')
        self.write("tools/quarry/main.cc", '#include "replay/own.h"\n')
        self.passes("rooms.py")
        self.refuses_include("replay/a.h", "#include <string>", "freestanding")
        self.refuses_include("replay/a.h", '#include "kmem/kmem.h"', "public headers")
        self.refuses_include("src/zone/a.h", '#include "replay/own.h"', "in no room")

    def test_core(self):
        self.refuses_include("src/zone/a.h", '#include "kmem/cache.h"', "higher room")
        self.refuses_include("src/zone/a.h", "#include <string>", "freestanding")
        self.refuses_include("src/zone/a.h", "#include <quarry/memory_system.h>", "higher room")
        self.refuses_include("src/zone/a.h", '#include "zone.h"', "in no room")
        self.refuses_include("src/stray/a.h", '#include "base/bits.h"', "not a room")
        self.refuses_include("src/zone/a.h", "#ifdef QUARRY_SMP", "#if on QUARRY_SMP")
        self.refuses_include("src/zone/a.h", "#elif defined(__x86_64__)", "#if on __x86_64__")

    def test_around(self):
        self.refuses_include("include/quarry/abi/page.h", "#include <cstdint>", "ABI")
        self.refuses_include("include/quarry/a.h", '#include "base/bits.h"', "public headers")
        self.refuses_include("include/compat/linux/a.h", "#include <vector>", "headers of C")
        self.refuses_include("ports/hosted/a.cc", '#include "kmem/cache.h"', "a port knows")
        self.refuses_include("compat/a.cc", '#include "nothing.h"', "façade")
        self.refuses_include("tools/quarry/a.cc", '#include "kmem/cache.h"', "tools")


class Sizes(Sample):
    def test_files(self):
        self.write("src/base/a.h", "\n" * 599)
        self.passes("sizes.py")
        self.write("src/base/a.h", "\n" * 600)
        self.refuses("601 lines", "sizes.py")

    def test_median(self):
        for number in range(10):
            self.write(f"src/base/a{number}.h", "\n" * 150)
        self.refuses("median", "sizes.py")

    def test_functions(self):
        self.write("src/base/a.cc", "int f() {\n" + "\n" * 68 + "}\n")
        self.passes("sizes.py")
        self.write("src/base/a.cc", "int f() {\n" + "\n" * 69 + "}\n")
        self.refuses("f has 71 lines", "sizes.py")

    def test_p90(self):
        self.write("src/base/a.cc", "".join(f"int f{n}() {{\n" + "\n" * 40 + "}\n" for n in range(10)))
        self.refuses("p90", "sizes.py")


class Marks(Sample):
    def test_marks(self):
        self.write("src/base/a.cc", "int stub_count;\n")
        self.passes("marks.py")
        self.write("docs/a.md", f"{MARK}: more\n", head="")
        self.refuses(MARK, "marks.py")

    def test_licence(self):
        self.write("src/base/a.cc", "int a;\n", head="")
        self.refuses("SPDX", "marks.py")

    def test_names(self):
        self.write("src/base/BigName.cc", "")
        self.refuses("snake_case", "marks.py")


class Globals(Sample):
    def refuses_source(self, text, reason):
        self.refuses(reason, "globals.py", self.compile(text))

    def test_good(self):
        table = "struct B { virtual int f(); }; int B::f() { return 1; } const B constant;\n"
        constants = 'extern const char* const names[]; const char* const names[] = {"a", "b"};\n'
        self.passes("globals.py", self.compile(table + constants))

    def test_mutable(self):
        self.refuses_source("int counter;", "counter in .bss")
        self.refuses_source("int counter = 1;", "counter in .data")
        self.refuses_source("thread_local int depth;", "depth in .tbss")
        self.refuses_source("int f() { static int calls; return ++calls; }", "calls")
        self.refuses_source("int g(); extern const int once; const int once = g();", "once in .bss")


class Symbols(Sample):
    def test_symbols(self):
        self.passes("symbols.py", self.compile(
            "struct P { virtual int f() = 0; virtual int g(); }; int P::g() { return f(); }"
            "void copy(char* a, const char* b, int n) { __builtin_memcpy(a, b, n); }"))
        self.refuses("undefined malloc", "symbols.py", self.compile(
            "void* f() { return __builtin_malloc(9); }"))

    def test_division(self):
        self.refuses("__udivdi3", "symbols.py", self.compile(
            "unsigned long long f(unsigned long long a, unsigned long long b) { return a / b; }",
            "-m32"))


@unittest.skipUnless(shutil.which("clang++-14"), "clang++-14 is not installed")
class Clang(Sample):
    LOCK = ("struct __attribute__((capability(\"lock\"))) Lock {\n"
            "  void lock() __attribute__((acquire_capability()));\n"
            "  void unlock() __attribute__((release_capability()));\n};\n"
            "struct Zone {\n  Lock lock_;\n  int free_ __attribute__((guarded_by(lock_)));\n"
            "  int take() {\n    %s\n    int one = free_--;\n    %s\n    return one;\n  }\n};\n")

    def test_guarded(self):
        self.write("src/base/a.cc", self.LOCK % ("lock_.lock();", "lock_.unlock();"))
        self.passes("clang")
        self.write("src/base/a.cc", self.LOCK % ("", ""))
        self.refuses("thread-safety", "clang")

    def test_header_alone(self):
        self.write("src/base/a.h", "#pragma once\ninline uint32_t f() { return 1; }\n")
        self.refuses("uint32_t", "clang")


@unittest.skipUnless(shutil.which("clang-format-14"), "clang-format-14 is not installed")
class Format(Sample):
    def test_format(self):
        shutil.copy(os.path.join(HERE, "../../.clang-format"), self.root)
        self.write("src/base/a.cc", "int f(int a) { return a; }\n")
        self.passes("format")
        self.write("src/base/a.cc", "int f( int a ){ return a ; }\n")
        self.refuses("clang-format", "format")


@unittest.skipUnless(shutil.which("run-clang-tidy-14"), "clang-tidy-14 is not installed")
class Tidy(Sample):
    def tidy(self, text):
        shutil.copy(os.path.join(HERE, "../../.clang-tidy"), self.root)
        source = self.write("src/base/a.cc", text)
        self.write("build/compile_commands.json", f'[{{"directory": "{self.root}", '
                   f'"command": "c++ -std=c++20 -c {source}", "file": "{source}"}}]', head="")
        return os.path.join(self.root, "build"), self.root

    def test_tidy(self):
        self.passes("tidy", *self.tidy("int twice(int value) { return value * 2; }\n"))
        self.refuses("bugprone", "tidy", *self.tidy(
            "double half(int value) { return value / 2; }\n"))
        self.refuses("identifier-naming", "tidy", *self.tidy("int TwiceOf(int a) { return a * 2; }\n"))


if __name__ == "__main__":
    unittest.main()
