// SPDX-License-Identifier: MIT
// One misuse, or one question to the machine, in a process of its own:  probe CASE
#define _GNU_SOURCE
#include <linux/highmem.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static DEFINE_SPINLOCK(lock);
static void* made_by_constructor;
static int number = 1;
static char* text = "unset";
static bool flag;
module_param(number, int, 0444);
module_param(text, charp, 0444);
module_param(flag, bool, 0444);

static int __init probe_init(void) { return number < 0 ? number : 0; }
static void __exit probe_exit(void) { pr_info("module exits\n"); }
module_init(probe_init);
module_exit(probe_exit);

__attribute__((__constructor__(102))) static void construct(int argc, char** argv) {
  if (argc != 2 || strcmp(argv[1], "at_exit") != 0) return;
  made_by_constructor = kmalloc(100, GFP_KERNEL);
}

static void at_exit(void) {
  void* object = kzalloc(3000, GFP_KERNEL);
  printf("at exit: %d\n", object != NULL && made_by_constructor != NULL);
  kfree(object);
  kfree(made_by_constructor);
}

// --- Misuse: each goes on afterwards ---

static void still_works(void) {
  for (size_t bytes = 8; bytes <= 8192; bytes *= 2) {
    char* a = kmalloc(bytes, GFP_KERNEL);
    char* b = kmalloc(bytes, GFP_KERNEL);
    if (a == NULL || b == NULL || a == b) abort();
    memset(a, 1, bytes);
    memset(b, 2, bytes);
    if (a[bytes - 1] != 1) abort();
    kfree(a);
    kfree(b);
  }
}

static void sleep_under_lock(void) {
  for (int i = 0; i != 3; ++i) {
    spin_lock(&lock);
    kfree(kmalloc(50, GFP_KERNEL));
    spin_unlock(&lock);
  }
}

// A section that is entered in a function under way still, and one whose function has returned.
static noinline void sleep_here(void) {
  kfree(kmalloc(50, GFP_KERNEL));
  barrier();
}

static noinline void sleep_in_section(void) {
  spin_lock(&lock);
  sleep_here();
  spin_unlock(&lock);
}

static void sleep_below_lock(void) {
  sleep_in_section();
  barrier();
}

static noinline void take_lock(void) {
  spin_lock(&lock);
  barrier();
}

static void sleep_after_lock(void) {
  take_lock();
  sleep_here();
  spin_unlock(&lock);
}

static void sleep_in_two_places(void) {
  spin_lock(&lock);
  kfree(kmalloc(50, GFP_KERNEL));
  kfree(kmalloc(50, GFP_KERNEL));
  spin_unlock(&lock);
}

static void page_sleep_under_lock(void) {
  for (int i = 0; i != 3; ++i) {
    preempt_disable();
    __free_pages(alloc_pages(GFP_KERNEL, 0), 0);
    __free_pages(alloc_pages(GFP_KERNEL, 0), 0);
    preempt_enable();
  }
}

static void atomic_under_lock(void) {
  unsigned long flags;
  spin_lock_irqsave(&lock, flags);
  kfree(kmalloc(50, GFP_ATOMIC));
  kfree(kmalloc(500, GFP_NOWAIT));
  __free_page(alloc_page(GFP_ATOMIC));
  spin_unlock_irqrestore(&lock, flags);
  irq_enter();
  kfree(kmalloc(50, GFP_ATOMIC));
  irq_exit();
}

static void kmap_under_lock(void) {
  struct page* page = alloc_page(GFP_HIGHUSER);
  spin_lock(&lock);
  kunmap_local(kmap_local_page(page));
  kmap(page);
  kunmap(page);
  spin_unlock(&lock);
  __free_page(page);
}

static void might_sleep_in_interrupt(void) {
  for (int i = 0; i != 3; ++i) {
    irq_enter();
    might_sleep();
    irq_exit();
    might_sleep();
  }
}

static void free_garbage(void) {
  long local = 0;
  kfree(&local);
  kfree((void*)0x123456789000);
  still_works();
}

static void free_twice(void) {
  void* object = kmalloc(64, GFP_KERNEL);
  printf("%p\n", object);
  kfree(object);
  kfree(object);
  still_works();
}

static void free_vmalloc_garbage(void) {
  char* area = vmalloc(2 * PAGE_SIZE);
  vfree(area + PAGE_SIZE);
  area[0] = 1;
  vfree(area);
  vfree((void*)(PAGE_SIZE * 17));
}

static void wrong_cache(void) {
  struct kmem_cache* a = kmem_cache_create("probe_a", 128, 0, 0, NULL);
  struct kmem_cache* b = kmem_cache_create("probe_b", 256, 0, 0, NULL);
  kmem_cache_free(b, kmem_cache_alloc(a, GFP_KERNEL));
  kmem_cache_destroy(a);
  kmem_cache_destroy(b);
}

static void leftovers(void) {
  struct kmem_cache* cache = kmem_cache_create("probe_leaky", 128, 0, 0, NULL);
  void* object = kmem_cache_alloc(cache, GFP_KERNEL);
  kmem_cache_destroy(cache);
  memset(object, 1, 128);
}

static void huge_order(void) {
  printf("%d\n", alloc_pages(GFP_KERNEL, 11) == NULL);
  printf("%d\n", kmalloc(KMALLOC_MAX_SIZE + number, GFP_KERNEL) == NULL);
}

static void fault_guard(void) {
  volatile char* area = vmalloc(PAGE_SIZE);
  area[PAGE_SIZE - 1] = 1;
  area[PAGE_SIZE + number - 1] = 1;
}

static void fault_freed(void) {
  volatile char* area = vmalloc(PAGE_SIZE);
  area[0] = 1;
  vfree((void*)area);
  area[0] = 2;
}

static void warnings(void) {
  for (int i = 0; i != 2; ++i) {
    if (WARN_ON(i == 1)) pr_info("warned\n");
    if (WARN_ONCE(true, "once: %d\n", i)) pr_warn("and again\n");
    pr_warn_once("a line\n");
  }
  pr_debug("never\n");
  printk(KERN_DEBUG "quiet by default\n");
}

static void bug(void) { BUG_ON(number == 1); }
static void stop(void) { panic("number %d", number); }

// --- Questions ---

static void idle(void) {
  char line[128];
  FILE* status = fopen("/proc/self/status", "r");
  while (fgets(line, sizeof(line), status) != NULL) {
    if (strncmp(line, "VmRSS:", 6) == 0) printf("%s", line);
  }
  fclose(status);
}

static void machine(void) {
  unsigned long end = 1;
  while (pfn_valid(end)) ++end;
  printf("MiB %lu nodes %d\n", end >> 8, page_to_nid(pfn_to_page(end - 1)) + 1);
}

// 900 objects more for each line that is read.
static void live(void) {
  struct kmem_cache* cache = kmem_cache_create("probe_live", 128, 0, 0, NULL);
  void* objects[900];
  int count = 0;
  do {
    count += kmem_cache_alloc_bulk(cache, GFP_KERNEL, ARRAY_SIZE(objects), objects);
    printf("%d\n", count);
    fflush(stdout);
  } while (getchar() != EOF);
}

static void params(void) { printf("%d %s %d\n", number, text, flag); }

static void attempts(void) {
  int slab = 0, pages = 0;
  for (int i = 0; i != 100; ++i) {
    void* object = kmalloc(64, GFP_KERNEL);
    struct page* page = alloc_pages(GFP_KERNEL, 0);
    slab += object == NULL;
    pages += page == NULL;
    kfree(object);
    if (page != NULL) __free_pages(page, 0);
  }
  printf("failed %d %d\n", slab, pages);
}

// So that what is freed is what is taken next.
static void stay_on_this_cpu(void) {
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(sched_getcpu(), &here);
  sched_setaffinity(0, sizeof(here), &here);
}

// A cache's row in slabinfo, up to the tunables.
static const char* row_of(const char* name) {
  static char info[1 << 16];
  char start[64];
  quarry_proc_read("slabinfo", info, sizeof(info));
  snprintf(start, sizeof(start), "\n%-17s ", name);
  char* row = strstr(info, start);
  if (row == NULL) return "none";
  *strstr(++row, " : slabdata") = '\0';
  return row;
}

// Objects of the cache that count as taken from slabs.
static unsigned long active(const char* name) {
  unsigned long objects = 0;
  sscanf(row_of(name), "%*s %lu", &objects);
  return objects;
}

static void rows(void) {
  struct kmem_cache* cache = kmem_cache_create("probe_700", 700, 0, 0, NULL);
  printf("%s\n", row_of("probe_700"));
  printf("%s\n", row_of("kmalloc-512"));
  kmem_cache_destroy(cache);
}

static void aliases(void) {
  struct kmem_cache* one = kmem_cache_create("probe_one", 1000, 0, 0, NULL);
  struct kmem_cache* other = kmem_cache_create("probe_other", 1000, 0, 0, NULL);
  printf("merged %d\n", one == other);
  kmem_cache_destroy(other);
  kmem_cache_destroy(one);
}

static int is_zero(const unsigned char* memory, size_t bytes) {
  for (size_t i = 0; i != bytes; ++i) {
    if (memory[i] != 0) return 0;
  }
  return 1;
}

// Of an object and of a page: whether one is zero that was dirty before it was freed, and whether
// it was so as soon as it was freed. In a free object the allocator may have its link, further
// back.
static void zeroing(void) {
  stay_on_this_cpu();
  void* kept = kmalloc(1000, GFP_KERNEL);
  unsigned char* object = kmalloc(1000, GFP_KERNEL);
  memset(object, 0xdd, 1000);
  kfree(object);
  const int freed = is_zero(object, 100);
  object = kmalloc(1000, GFP_KERNEL);
  const int taken = is_zero(object, 1000);
  kfree(object);
  kfree(kept);
  unsigned char* page = (unsigned char*)__get_free_page(GFP_KERNEL);
  memset(page, 0xdd, PAGE_SIZE);
  free_page((unsigned long)page);
  const int page_freed = is_zero(page, PAGE_SIZE);
  page = (unsigned char*)__get_free_page(GFP_KERNEL);
  printf("freed %d %d taken %d %d\n", freed, page_freed, taken, is_zero(page, PAGE_SIZE));
  free_page((unsigned long)page);
}

// How the slabs of a new cache are handed out, and what a free object of one holds.
static void links(void) {
  stay_on_this_cpu();
  struct kmem_cache* cache = kmem_cache_create("probe_links", 64, 0, SLAB_NO_MERGE, NULL);
  char* objects[64];
  for (size_t i = 0; i != 64; ++i) objects[i] = kmem_cache_alloc(cache, GFP_KERNEL);
  int ascending = 0, plain = 0;
  for (size_t i = 1; i != 64; ++i) ascending += objects[i] == objects[i - 1] - 64;
  for (size_t i = 1; i != 64; ++i) ascending += objects[i] == objects[i - 1] + 64;
  for (size_t i = 1; i != 64; ++i) kmem_cache_free(cache, objects[i]);
  kmem_cache_shrink(cache);
  for (size_t i = 1; i != 64; ++i) {
    const char* link = *(char**)(objects[i] + cache->offset);
    plain += link == NULL || virt_to_page(link) == virt_to_page(objects[0]);
  }
  printf("in order %d, plain %d\n", ascending >= 60, plain == 63);
  kmem_cache_free(cache, objects[0]);
  kmem_cache_destroy(cache);
}

// Objects of another node, when they have been freed: of 12, how many are not in slabs yet.
static void aliens(void) {
  struct kmem_cache* cache = kmem_cache_create("probe_alien", 64, 0, SLAB_NO_MERGE, NULL);
  void* objects[12];
  stay_on_this_cpu();
  struct page* page = alloc_page(GFP_KERNEL);
  const int other_node = !page_to_nid(page);
  __free_page(page);
  for (size_t i = 0; i != 12; ++i) {
    objects[i] = kmem_cache_alloc_node(cache, GFP_KERNEL, other_node);
  }
  for (size_t i = 0; i != 12; ++i) kmem_cache_free(cache, objects[i]);
  printf("waiting %lu\n", active("probe_alien"));
  kmem_cache_destroy(cache);
}

static void write_slabinfo(const char* line) {
  printf("%ld %s\n", quarry_proc_write("slabinfo", line, strlen(line)), line);
}

// What SLAB's file takes, and what its reaper does.
static void tunables(void) {
  stay_on_this_cpu();
  struct kmem_cache* cache = kmem_cache_create("probe_tuned", 64, 0, SLAB_NO_MERGE, NULL);
  write_slabinfo("probe_tuned 10 5 0");
  printf("%s\n", row_of("probe_tuned"));
  write_slabinfo("probe_tuned 127 60 8");
  write_slabinfo("probe_tuned 10 5");
  write_slabinfo("nobody 10 5 0");
  write_slabinfo("probe_tuned 0 0 0");
  void* objects[10];
  for (size_t i = 0; i != 10; ++i) objects[i] = kmem_cache_alloc(cache, GFP_KERNEL);
  for (size_t i = 0; i != 10; ++i) kmem_cache_free(cache, objects[i]);
  printf("waiting");
  for (int round = 0; round != 8; ++round) {
    for (unsigned int cpu = 0; quarry_reap_caches(cpu) == 0; ++cpu) {
    }
    printf(" %lu", active("probe_tuned"));
  }
  printf("\n");
  kmem_cache_destroy(cache);
}

static void forked(void) {
  char* object = kmalloc(100, GFP_KERNEL);
  char* area = vmalloc(PAGE_SIZE);
  strscpy(object, "parent", 100);
  strscpy(area, "parent", 100);
  const pid_t child = fork();
  if (child == 0) {
    const bool seen = strcmp(object, "parent") == 0 && strcmp(area, "parent") == 0;
    strscpy(object, "child", 100);
    strscpy(area, "child", 100);
    still_works();
    vfree(area);
    kfree(object);
    _exit(seen ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  printf("child %d, parent still %s %s\n", status, object, area);
  vfree(area);
  kfree(object);
}

static const struct {
  const char* name;
  void (*run)(void);
} cases[] = {{"sleep_under_lock", sleep_under_lock},
             {"sleep_below_lock", sleep_below_lock},
             {"sleep_after_lock", sleep_after_lock},
             {"sleep_in_two_places", sleep_in_two_places},
             {"page_sleep_under_lock", page_sleep_under_lock},
             {"atomic_under_lock", atomic_under_lock},
             {"kmap_under_lock", kmap_under_lock},
             {"might_sleep_in_interrupt", might_sleep_in_interrupt},
             {"free_garbage", free_garbage},
             {"free_twice", free_twice},
             {"free_vmalloc_garbage", free_vmalloc_garbage},
             {"wrong_cache", wrong_cache},
             {"leftovers", leftovers},
             {"huge_order", huge_order},
             {"fault_guard", fault_guard},
             {"fault_freed", fault_freed},
             {"warnings", warnings},
             {"bug", bug},
             {"panic", stop},
             {"idle", idle},
             {"machine", machine},
             {"live", live},
             {"params", params},
             {"attempts", attempts},
             {"rows", rows},
             {"aliases", aliases},
             {"zeroing", zeroing},
             {"links", links},
             {"aliens", aliens},
             {"tunables", tunables},
             {"forked", forked}};

int main(int argc, char** argv) {
  if (argc == 2 && strcmp(argv[1], "at_exit") == 0) return atexit(at_exit);
  for (size_t i = 0; argc == 2 && i != ARRAY_SIZE(cases); ++i) {
    if (strcmp(argv[1], cases[i].name) != 0) continue;
    cases[i].run();
    return 0;
  }
  fprintf(stderr, "probe: no such case\n");
  return 100;
}
