// held DIR INODES: opens many kinds of files in DIR, of which the host changes some, and says
// "held" on standard output. When a line comes on standard input it looks whether each is still what
// it was, and prints "NAME ok" or "NAME: what is wrong". Files named after what the host does to
// them: see HeldFiles in the test.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { LISTED = 500, READ_BEFORE = 100, PAGES = 3, PAGE = 4096 };

static char wrong[300];

// Says why a check fails; answers 0, so that it can stand in a return.
static int fail(const char *text, ...) {
  va_list rest;
  va_start(rest, text);
  vsnprintf(wrong, sizeof wrong, text, rest);
  va_end(rest);
  return 0;
}

static int fail_errno(const char *what) { return fail("%s: %s", what, strerror(errno)); }

static void die(const char *what) {
  printf("cannot begin: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int must(int result, const char *what) {
  if (result < 0) die(what);
  return result;
}

static int make(const char *name, int flags, int mode) {
  return must(open(name, flags | O_CREAT, mode), name);
}

static void put(int fd, const char *text) {
  if (write(fd, text, strlen(text)) != (ssize_t)strlen(text)) die("write");
}

// Whether all of a file is this text.
static int is(int fd, const char *text) {
  char found[256];
  ssize_t n = pread(fd, found, sizeof found - 1, 0);
  if (n < 0) return fail_errno("pread");
  found[n] = 0;
  return strcmp(found, text) == 0 ? 1 : fail("holds '%s', not '%s'", found, text);
}

// Whether a held file can still be read and written.
static int alive(int fd, const char *before) {
  char after[256];
  if (!is(fd, before)) return 0;
  if (pwrite(fd, "more\n", 5, strlen(before)) != 5) return fail_errno("pwrite");
  snprintf(after, sizeof after, "%smore\n", before);
  if (fsync(fd) < 0) return fail_errno("fsync");
  return is(fd, after);
}

static int fds[64];

#define HOLD(kind) static void hold_##kind(int *fd)
#define CHECK(kind) static int check_##kind(int *fd)

HOLD(regular) {
  *fd = make("regular", O_RDWR | O_TRUNC, 0644);
  put(*fd, "one two three\n");
  lseek(*fd, 4, SEEK_SET);
}
CHECK(regular) {
  char word[4] = "";
  if (read(*fd, word, 3) != 3 || strcmp(word, "two")) return fail("read '%s' from 4 on", word);
  return alive(*fd, "one two three\n");
}

HOLD(read_only) {
  put(make("read-only", O_WRONLY, 0644), "read\n");
  *fd = must(open("read-only", O_RDONLY), "read-only");
}
CHECK(read_only) {
  if (write(*fd, "x", 1) >= 0) return fail("can be written to");
  return is(*fd, "read\n");
}

HOLD(write_only) { put(*fd = make("write-only", O_WRONLY, 0644), "write\n"); }
CHECK(write_only) {
  if (pwrite(*fd, "more\n", 5, 6) != 5) return fail_errno("pwrite");
  int other = open("write-only", O_RDONLY);
  int well = other < 0 ? fail_errno("open") : is(other, "write\nmore\n");
  close(other);
  return well;
}

HOLD(append) { put(*fd = make("append", O_RDWR | O_APPEND, 0644), "line 1\n"); }
CHECK(append) {
  put(*fd, "line 2\n");
  put(*fd, "line 3\n");
  if (fsync(*fd) < 0) return fail_errno("fsync");
  return is(*fd, "line 1\nline 2\nline 3\n");
}

HOLD(tmpfile) {
  *fd = open(".", O_TMPFILE | O_RDWR, 0600);
  if (*fd >= 0) put(*fd, "nameless\n");
  else if (errno != EOPNOTSUPP && errno != ENOSYS) die("O_TMPFILE");
}
CHECK(tmpfile) { return *fd < 0 ? fail("not offered") : alive(*fd, "nameless\n"); }

HOLD(unlinked) {
  put(*fd = make("unlinked", O_RDWR, 0644), "unlinked\n");
  must(unlink("unlinked"), "unlink");
}
CHECK(unlinked) { return alive(*fd, "unlinked\n"); }

HOLD(linked) {
  put(*fd = make("linked", O_RDWR, 0644), "linked\n");
  must(link("linked", "linked-too"), "link");
  must(rename("linked", "linked-renamed"), "rename");
}
CHECK(linked) {
  struct stat held, named;
  if (fstat(*fd, &held) < 0 || stat("linked-too", &named) < 0) return fail_errno("stat");
  if (held.st_ino != named.st_ino || held.st_nlink != 2) return fail("is another file");
  return alive(*fd, "linked\n");
}

HOLD(moved_by_host) { put(*fd = make("moved-by-host", O_RDWR, 0644), "moved\n"); }
CHECK(moved_by_host) { return alive(*fd, "moved\n"); }

HOLD(replaced_by_host) { put(*fd = make("replaced-by-host", O_RDWR, 0644), "replaced\n"); }
CHECK(replaced_by_host) { return alive(*fd, "replaced\n"); }

HOLD(removed_by_host) { put(*fd = make("removed-by-host", O_RDWR, 0644), "removed\n"); }
CHECK(removed_by_host) { return alive(*fd, "removed\n"); }

HOLD(below_moved_by_host) {
  must(mkdir("tree-moved-by-host", 0755), "mkdir");
  put(*fd = make("tree-moved-by-host/file", O_RDWR, 0644), "below\n");
}
CHECK(below_moved_by_host) { return alive(*fd, "below\n"); }

static DIR *listing;
static char seen[LISTED];

static int see(void) {
  struct dirent *entry = readdir(listing);
  if (!entry) return 0;
  int number;
  if (sscanf(entry->d_name, "entry-%d", &number) == 1) seen[number]++;
  return 1;
}

HOLD(half_read) {
  must(mkdir("half-read", 0755), "mkdir");
  for (int i = 0; i < LISTED; i++) {
    char name[64];
    snprintf(name, sizeof name, "half-read/entry-%d", i);
    close(make(name, O_WRONLY, 0644));
  }
  listing = opendir("half-read");
  if (!listing) die("opendir");
  for (int i = 0; i < READ_BEFORE; i++) see();
  *fd = dirfd(listing);
}
CHECK(half_read) {
  while (see()) {
  }
  for (int i = 0; i < LISTED; i++)
    if (seen[i] != 1) return fail("entry-%d came %d times", i, seen[i]);
  return 1;
}

HOLD(removed_directory) {
  must(mkdir("removed-directory", 0755), "mkdir");
  *fd = must(open("removed-directory", O_RDONLY | O_DIRECTORY), "open");
  must(rmdir("removed-directory"), "rmdir");
}
CHECK(removed_directory) {
  struct stat status;
  if (fstat(*fd, &status) < 0) return fail_errno("fstat");
  return S_ISDIR(status.st_mode) ? 1 : fail("is no directory");
}

static const char deep[] = "deep/1/2/3/4/5/6/7/8/9";

HOLD(working_directory) {
  char path[sizeof deep];
  for (size_t i = 0; i < sizeof deep; i++) {
    path[i] = deep[i];
    if (deep[i] == '/' || !deep[i]) {
      path[i] = 0;
      must(mkdir(path, 0755), path);
      path[i] = deep[i];
    }
  }
  *fd = must(open(deep, O_RDONLY | O_DIRECTORY), deep);
  put(make("deep/1/2/3/4/5/6/7/8/9/file", O_WRONLY, 0644), "deep\n");
}
CHECK(working_directory) {
  pid_t child = fork();
  if (child == 0) {
    char here[256];
    if (fchdir(*fd) < 0 || !getcwd(here, sizeof here)) _exit(2);
    if (!strstr(here, deep)) _exit(3);
    int file = open("file", O_RDWR);
    _exit(file >= 0 && alive(file, "deep\n") ? 0 : 4);
  }
  int status;
  waitpid(child, &status, 0);
  return status == 0 ? 1 : fail("step %d", WEXITSTATUS(status));
}

static int still(int fd, int type) {
  struct stat status;
  if (fstat(fd, &status) < 0) return fail_errno("fstat");
  return (status.st_mode & S_IFMT) == (mode_t)type ? 1 : fail("mode is %o", status.st_mode);
}

HOLD(fifo) {
  must(mkfifo("fifo", 0644), "mkfifo");
  *fd = must(open("fifo", O_RDWR | O_NONBLOCK), "fifo");
  put(*fd, "through");
}
CHECK(fifo) {
  char found[8] = "";
  if (read(*fd, found, 7) != 7 || strcmp(found, "through")) return fail("read '%s'", found);
  return still(*fd, S_IFIFO);
}

HOLD(socket) {
  struct sockaddr_un address = {AF_UNIX, "socket"};
  int fd_bound = must(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
  must(bind(fd_bound, (struct sockaddr *)&address, sizeof address), "bind");
  must(listen(fd_bound, 1), "listen");
  *fd = must(open("socket", O_PATH), "socket");
}
CHECK(socket) {
  struct sockaddr_un address = {AF_UNIX, "socket"};
  int client = must(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
  if (connect(client, (struct sockaddr *)&address, sizeof address) < 0)
    return fail_errno("connect");
  close(client);
  return still(*fd, S_IFSOCK);
}

HOLD(symlink) {
  must(symlink("where/it/leads", "symlink"), "symlink");
  *fd = must(open("symlink", O_PATH | O_NOFOLLOW), "symlink");
}
CHECK(symlink) {
  char target[64] = "";
  if (readlinkat(*fd, "", target, sizeof target - 1) < 0) return fail_errno("readlink");
  return strcmp(target, "where/it/leads") == 0 ? 1 : fail("leads to '%s'", target);
}

HOLD(device) {
  must(mknod("device", S_IFCHR | 0600, makedev(1, 3)), "mknod");
  *fd = must(open("device", O_PATH), "device");
}
CHECK(device) {
  struct stat status;
  if (fstat(*fd, &status) < 0) return fail_errno("fstat");
  return status.st_rdev == makedev(1, 3) ? 1 : fail("is another device");
}

HOLD(path_only) {
  put(make("path-only", O_WRONLY, 0644), "path\n");
  *fd = must(open("path-only", O_PATH), "path-only");
}
CHECK(path_only) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", *fd);
  int file = open(path, O_RDWR);
  if (file < 0) return fail_errno("open");
  int well = alive(file, "path\n");
  close(file);
  return well;
}

HOLD(mode_0) { put(*fd = make("mode-0", O_RDWR, 0), "mode 0\n"); }
CHECK(mode_0) { return alive(*fd, "mode 0\n"); }

HOLD(not_utf_8) { put(*fd = make("not-\xff\xfe-utf-8", O_RDWR, 0644), "bytes\n"); }
CHECK(not_utf_8) {
  struct stat status;
  if (stat("not-\xff\xfe-utf-8", &status) < 0) return fail_errno("stat");
  return alive(*fd, "bytes\n");
}

HOLD(submount) {
  if (access("submount", F_OK) < 0) must(mkdir("submount", 0755), "mkdir");
  put(*fd = make("submount/file", O_RDWR, 0644), "submount\n");
}
CHECK(submount) { return alive(*fd, "submount\n"); }

static char *mapped;

HOLD(mapped) {
  *fd = make("mapped", O_RDWR, 0644);
  must(ftruncate(*fd, PAGES * PAGE), "ftruncate");
  mapped = mmap(0, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
  if (mapped == MAP_FAILED) die("mmap");
  strcpy(mapped + PAGE, "dirty");
}
CHECK(mapped) {
  char found[6] = "";
  strcpy(mapped + 2 * PAGE, "later");
  if (msync(mapped, PAGES * PAGE, MS_SYNC) < 0) return fail_errno("msync");
  if (pread(*fd, found, 5, PAGE) != 5 || strcmp(found, "dirty")) return fail("found '%s'", found);
  if (pread(*fd, found, 5, 2 * PAGE) != 5 || strcmp(found, "later")) return fail("'%s'", found);
  return 1;
}

HOLD(unsynced) { put(*fd = make("unsynced", O_RDWR, 0644), "unsynced\n"); }
CHECK(unsynced) {
  if (fsync(*fd) < 0) return fail_errno("fsync");
  return alive(*fd, "unsynced\n");
}

HOLD(sparse) {
  *fd = make("sparse", O_RDWR, 0644);
  if (pwrite(*fd, "end", 3, 1 << 30) != 3) die("pwrite");
  must(unlink("sparse"), "unlink");
}
CHECK(sparse) {
  char found[4] = "";
  struct stat status;
  if (pread(*fd, found, 3, 1 << 30) != 3 || strcmp(found, "end")) return fail("'%s'", found);
  if (fstat(*fd, &status) < 0) return fail_errno("fstat");
  return status.st_blocks < 1000 ? 1 : fail("has %ld blocks", (long)status.st_blocks);
}

HOLD(locked) {
  struct flock lock = {.l_type = F_WRLCK, .l_start = 10, .l_len = 5};
  *fd = make("locked", O_RDWR, 0644);
  must(fcntl(*fd, F_SETLK, &lock), "fcntl");
}
CHECK(locked) {
  pid_t child = fork();
  if (child == 0) {
    struct flock lock = {.l_type = F_WRLCK, .l_start = 12, .l_len = 1};
    struct flock beside = {.l_type = F_WRLCK, .l_start = 20, .l_len = 1};
    int file = open("locked", O_RDWR);
    if (file < 0 || fcntl(file, F_SETLK, &beside) < 0) _exit(2);
    _exit(fcntl(file, F_SETLK, &lock) < 0 ? 0 : 3);
  }
  int status;
  waitpid(child, &status, 0);
  return status == 0 ? 1 : fail("step %d", WEXITSTATUS(status));
}

HOLD(flocked) {
  *fd = make("flocked", O_RDWR, 0644);
  must(flock(*fd, LOCK_EX), "flock");
}
CHECK(flocked) {
  int other = open("flocked", O_RDWR);
  if (other < 0) return fail_errno("open");
  if (flock(other, LOCK_EX | LOCK_NB) == 0) return fail("is not locked");
  if (flock(*fd, LOCK_UN) < 0) return fail_errno("unlock");
  int well = flock(other, LOCK_EX | LOCK_NB) == 0 ? 1 : fail_errno("lock again");
  close(other);
  return well;
}

static const unsigned char list[] = {
    2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 57, 48, 0, 0,
    4, 0, 4, 0, 255, 255, 255, 255, 16, 0, 6, 0, 255, 255, 255, 255, 32, 0, 4, 0, 255, 255, 255, 255};

HOLD(attributed) {
  put(*fd = make("attributed", O_RDWR, 0644), "attributes\n");
  must(fsetxattr(*fd, "user.kept", "value", 5, 0), "setxattr");
  must(fsetxattr(*fd, "system.posix_acl_access", list, sizeof list, 0), "acl");
}
CHECK(attributed) {
  char value[256] = "";
  if (fgetxattr(*fd, "user.kept", value, sizeof value) != 5 || strcmp(value, "value"))
    return fail("user.kept is '%s'", value);
  if (fgetxattr(*fd, "system.posix_acl_access", value, sizeof value) != sizeof list
      || memcmp(value, list, sizeof list))
    return fail("the access list differs");
  return alive(*fd, "attributes\n");
}

static int inodes;
static ino_t *numbers;

static const char *cached_name(int i) {
  static char name[64];
  snprintf(name, sizeof name, "cached/%d/%d", i / 1000, i);
  return name;
}

HOLD(cached) {
  struct stat status;
  numbers = calloc(inodes, sizeof *numbers);
  for (int i = 0; i < inodes; i++) {
    must(lstat(cached_name(i), &status), "cached");
    numbers[i] = status.st_ino;
  }
  *fd = must(open("cached", O_RDONLY | O_DIRECTORY), "cached");
}
CHECK(cached) {
  struct stat status;
  (void)fd;
  for (int i = 0; i < inodes; i++) {
    if (lstat(cached_name(i), &status) < 0) return fail_errno(cached_name(i));
    if (status.st_ino != numbers[i]) return fail("%s: another number", cached_name(i));
  }
  return 1;
}

#define KIND(kind) {#kind, hold_##kind, check_##kind}
static const struct {
  const char *name;
  void (*hold)(int *fd);
  int (*check)(int *fd);
} kinds[] = {
    KIND(regular),     KIND(read_only),       KIND(write_only),        KIND(append),
    KIND(tmpfile),     KIND(unlinked),        KIND(linked),            KIND(moved_by_host),
    KIND(replaced_by_host), KIND(removed_by_host), KIND(below_moved_by_host), KIND(half_read),
    KIND(removed_directory), KIND(working_directory), KIND(fifo),      KIND(socket),
    KIND(symlink),     KIND(device),          KIND(path_only),         KIND(mode_0),
    KIND(not_utf_8),   KIND(submount),        KIND(mapped),            KIND(unsynced),
    KIND(sparse),      KIND(locked),          KIND(flocked),           KIND(attributed),
    KIND(cached),
};

enum { KINDS = sizeof kinds / sizeof *kinds };

// Whether a kind is among those that were asked for: all where none was.
static int wanted(const char *name, char **names) {
  if (!*names) return 1;
  for (; *names; names++)
    if (strcmp(*names, name) == 0) return 1;
  return 0;
}

int main(int argc, char **argv) {
  if (argc < 3) {
    printf("usage: held DIR INODES [KIND...]\n");
    return 2;
  }
  setvbuf(stdout, 0, _IOLBF, 0);
  umask(0);
  must(chdir(argv[1]), argv[1]);
  inodes = atoi(argv[2]);
  for (int i = 0; i < KINDS; i++)
    if (wanted(kinds[i].name, argv + 3)) kinds[i].hold(&fds[i]);
  printf("held\n");
  char line[16];
  while (fgets(line, sizeof line, stdin)) {
    for (int i = 0; i < KINDS; i++) {
      if (!wanted(kinds[i].name, argv + 3)) continue;
      if (kinds[i].check(&fds[i])) printf("%s ok\n", kinds[i].name);
      else printf("%s: %s\n", kinds[i].name, wrong);
    }
    printf("checked\n");
  }
  return 0;
}
