// VM sockets for a guest whose shell has none.
// vsock echo PORT: sends back what everybody says who connects, until killed.
// vsock call PORT: connects to the host, says its standard input, prints the answer.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/vm_sockets.h>

static char buffer[64 << 10];

static int must(int result, const char *what) {
  if (result < 0) {
    perror(what);
    exit(1);
  }
  return result;
}

// Copies until the end; the receiver then hears the end too, if it is a socket.
static void copy(int from, int to) {
  ssize_t count;
  while ((count = must(read(from, buffer, sizeof buffer), "read")) > 0) {
    for (ssize_t done = 0; done < count;) done += must(write(to, buffer + done, count - done), "write");
  }
  shutdown(to, SHUT_WR);
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  int fd = must(socket(AF_VSOCK, SOCK_STREAM, 0), "socket");
  struct sockaddr_vm address = {.svm_family = AF_VSOCK, .svm_port = atoi(argv[2])};
  if (!strcmp(argv[1], "call")) {
    address.svm_cid = VMADDR_CID_HOST;
    must(connect(fd, (struct sockaddr *)&address, sizeof address), "connect");
    pid_t speaker = must(fork(), "fork");
    if (!speaker) {
      copy(0, fd);
      return 0;
    }
    copy(fd, 1);
    int status;
    must(waitpid(speaker, &status, 0), "wait");
    return status != 0;
  }
  address.svm_cid = VMADDR_CID_ANY;
  must(bind(fd, (struct sockaddr *)&address, sizeof address), "bind");
  must(listen(fd, 16), "listen");
  puts("listening");
  fflush(stdout);
  for (;;) {
    int one = must(accept(fd, 0, 0), "accept");
    if (!must(fork(), "fork")) {
      copy(one, one);
      return 0;
    }
    close(one);
    while (waitpid(-1, 0, WNOHANG) > 0) {
    }
  }
}
