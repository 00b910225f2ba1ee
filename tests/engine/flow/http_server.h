/* http_server.h -- for tests of flow: a source on loopback that answers as a function of the test's says.
 *
 * A thread for each connection; every reply closes it. server_close ends and joins all of them.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_TESTS_FLOW_HTTP_SERVER_H
#define DTS_TESTS_FLOW_HTTP_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

typedef struct server server;
typedef struct asked {
  server *server;
  int fd, number; /* number: of the request at this server, 1 the first */
  const char *text;
} asked;
typedef void server_answer(const asked *a);

enum { SERVER_THREADS = 256 };

struct server {
  int fd, port;
  char url[64];
  server_answer *answer;
  pthread_t thread, threads[SERVER_THREADS];
  int count;
  atomic_int requests, busy, most;
  char last[8192];
};

static inline void server_say(const asked *a, int status, const char *heads, const char *body) {
  char head[1024];
  size_t size = strlen(body);
  int n = snprintf(head, sizeof head,
                   "HTTP/1.1 %d Said\r\nContent-Length: %zu\r\nConnection: close\r\n%s\r\n", status,
                   size, heads);
  if (status == 304)
    n = snprintf(head, sizeof head, "HTTP/1.1 304 Said\r\nConnection: close\r\n%s\r\n", heads);
  if (send(a->fd, head, (size_t)n, MSG_NOSIGNAL) < 0) return;
  for (ssize_t sent; size; body += sent, size -= (size_t)sent)
    if ((sent = send(a->fd, body, size, MSG_NOSIGNAL)) <= 0) return;
}

typedef struct server_peer {
  server *server;
  int fd;
} server_peer;

static inline void *server_talk(void *arg) {
  server_peer peer = *(server_peer *)arg;
  server *s = peer.server;
  char text[8192] = "";
  size_t size = 0;
  free(arg);
  for (ssize_t got; !strstr(text, "\r\n\r\n") && size + 1 < sizeof text; text[size] = '\0') {
    if ((got = recv(peer.fd, text + size, sizeof text - 1 - size, 0)) <= 0) break;
    size += (size_t)got;
  }
  if (size) {
    asked a = {s, peer.fd, atomic_fetch_add(&s->requests, 1) + 1, text};
    int busy = atomic_fetch_add(&s->busy, 1) + 1;
    if (busy > atomic_load(&s->most)) atomic_store(&s->most, busy);
    memcpy(s->last, text, sizeof text);
    s->answer(&a);
    atomic_fetch_sub(&s->busy, 1);
  }
  close(peer.fd);
  return NULL;
}

static inline void *server_accept(void *arg) {
  server *s = arg;
  for (int fd; s->count < SERVER_THREADS && (fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0;) {
    server_peer *peer = memory_alloc(sizeof *peer);
    *peer = (server_peer){s, fd};
    if (pthread_create(&s->threads[s->count++], NULL, server_talk, peer) != 0) abort();
  }
  return NULL;
}

static inline void server_open(server *s, server_answer *answer) {
  struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof in;
  memset(s, 0, sizeof *s);
  s->answer = answer;
  s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(bind(s->fd, (struct sockaddr *)&in, sizeof in), 0);
  assert_int_equal(listen(s->fd, 128), 0);
  getsockname(s->fd, (struct sockaddr *)&in, &size);
  s->port = ntohs(in.sin_port);
  snprintf(s->url, sizeof s->url, "http://127.0.0.1:%d", s->port);
  assert_int_equal(pthread_create(&s->thread, NULL, server_accept, s), 0);
}

static inline void server_close(server *s) {
  shutdown(s->fd, SHUT_RDWR);
  pthread_join(s->thread, NULL);
  close(s->fd);
  for (int i = 0; i < s->count; i++) pthread_join(s->threads[i], NULL);
}

#endif
