// SPDX-License-Identifier: MIT
// Two machines side by side, each with zones, caches and an address space of its own.
#include <quarry/hosted_platform.h>
#include <quarry/owners.h>

#include <cstdio>

int main() {
  quarry::HostedPlatform big, small;
  quarry::MemorySystem server, board;
  if (!big.open({.ram_bytes = 4 * quarry::kGiB, .nodes = 2}) || !server.boot(big, {}) ||
      !small.open({.ram_bytes = 32 * quarry::kMiB}) || !board.boot(small, {})) {
    return 2;
  }
  {
    const quarry::KmallocPtr<char> text(server, server.kstrdup("hello", quarry::gfp::kKernel));
    const quarry::VmallocPtr<void> table(
        board, board.vmalloc(64 * quarry::kMiB, quarry::gfp::kKernel | quarry::gfp::kNoWarn));
    std::printf("%s: %zu bytes usable, node %d\n", text.get(), server.ksize(text.get()),
                server.page_node(server.virt_to_page(text.get())).value());
    std::printf("64 MiB on a board of 32: %s\n", table ? "granted" : "refused");
  }
  return server.shutdown() + board.shutdown() == 0 ? 0 : 1;
}
