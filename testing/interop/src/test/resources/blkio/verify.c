/* verify SOCKET EXPECTED: writes, zeroes, discards and reads a disk by libblkio, on two queues with
 * many requests at once, compares what it reads with what it wrote, and leaves in the file EXPECTED
 * what the disk must hold. Ends with 0 if all was well. */
#include <blkio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUEUES = 2, DEPTH = 32, BLOCK = 16384, ROUNDS = 40 };

static struct blkio *disk;
static unsigned char *model;
static unsigned char *memory;
static uint64_t capacity;

static void check(int result, const char *what) {
  if (result < 0) {
    fprintf(stderr, "%s: %d %s\n", what, result, blkio_get_error_msg());
    exit(1);
  }
}

/* Waits for so many answers, all of which must be good. */
static void finish(struct blkioq *queue, int count) {
  while (count > 0) {
    struct blkio_completion done[DEPTH];
    int n = blkioq_do_io(queue, done, 1, DEPTH, NULL);
    check(n, "do_io");
    for (int i = 0; i < n; i++) {
      if (done[i].ret != 0) {
        fprintf(stderr, "request %lu: %d\n", (unsigned long)(uintptr_t)done[i].user_data, done[i].ret);
        exit(1);
      }
    }
    count -= n;
  }
}

/* Where request i of a round goes: no two at once touch the same block. */
static uint64_t place(int round, int i) {
  uint64_t blocks = capacity / BLOCK;
  return (round * 7919ull + i * (blocks / DEPTH)) % blocks * BLOCK;
}

static void write_round(struct blkioq *queue, int round) {
  for (int i = 0; i < DEPTH; i++) {
    uint64_t at = place(round, i);
    for (int b = 0; b < BLOCK; b++) {
      memory[i * BLOCK + b] = rand();
    }
    memcpy(model + at, memory + i * BLOCK, BLOCK);
    blkioq_write(queue, at, memory + i * BLOCK, BLOCK, (void *)(uintptr_t)i, 0);
  }
  finish(queue, DEPTH);
}

static void read_all(struct blkioq *queue) {
  for (uint64_t at = 0; at < capacity; at += (uint64_t)DEPTH * BLOCK) {
    int count = 0;
    for (; count < DEPTH && at + (uint64_t)count * BLOCK < capacity; count++) {
      blkioq_read(queue, at + (uint64_t)count * BLOCK, memory + count * BLOCK, BLOCK,
                  (void *)(uintptr_t)count, 0);
    }
    finish(queue, count);
    if (memcmp(memory, model + at, (size_t)count * BLOCK) != 0) {
      fprintf(stderr, "what is read from %lu on was not written\n", (unsigned long)at);
      exit(1);
    }
  }
}

static void start(const char *socket) {
  check(blkio_create("virtio-blk-vhost-user", &disk), "create");
  check(blkio_set_str(disk, "path", socket), "path");
  check(blkio_connect(disk), "connect");
  check(blkio_get_uint64(disk, "capacity", &capacity), "capacity");
  check(blkio_set_int(disk, "num-queues", QUEUES), "num-queues");
  check(blkio_start(disk), "start");
  struct blkio_mem_region region;
  check(blkio_alloc_mem_region(disk, &region, DEPTH * BLOCK), "memory");
  check(blkio_map_mem_region(disk, &region), "map");
  memory = region.addr;
}

int main(int count, char **words) {
  if (count != 3) {
    return 2;
  }
  start(words[1]);
  model = calloc(1, capacity);
  for (int round = 0; round < ROUNDS; round++) {
    struct blkioq *queue = blkio_get_queue(disk, round % QUEUES);
    write_round(queue, round);
    if (round % 8 == 7) {
      uint64_t at = place(round, 3);
      memset(model + at, 0, BLOCK);
      blkioq_write_zeroes(queue, at, BLOCK, NULL, round % 16 == 7 ? 0 : BLKIO_REQ_NO_UNMAP);
      finish(queue, 1);
      blkioq_flush(queue, NULL, 0);
      finish(queue, 1);
      read_all(blkio_get_queue(disk, (round + 1) % QUEUES));
    }
  }
  /* What discarded blocks hold is the device's choice. */
  struct blkioq *queue = blkio_get_queue(disk, 0);
  blkioq_discard(queue, 0, BLOCK, NULL, 0);
  finish(queue, 1);
  blkioq_read(queue, 0, memory, BLOCK, NULL, 0);
  finish(queue, 1);
  memcpy(model, memory, BLOCK);
  read_all(queue);
  blkioq_flush(queue, NULL, 0);
  finish(queue, 1);
  blkio_destroy(&disk);
  FILE *expected = fopen(words[2], "wb");
  return expected == NULL || fwrite(model, 1, capacity, expected) != capacity || fclose(expected) != 0;
}
