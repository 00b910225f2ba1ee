/* server.h -- for tests: a server on loopback that answers as a function of the test's says.
 *
 * One thread for each connection; the function gets the connection's descriptor and what was asked.
 * server_close() ends all of them and joins.
 *
 * SPDX-License-Identifier: MIT */
#ifndef TEST_NET_SERVER_H
#define TEST_NET_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/loop.h"

typedef struct server server;
typedef struct asked {
  server *server;
  int fd;     /* of the connection */
  int number; /* of the request at this server, 1 the first */
  char *text; /* head and body, NUL-terminated */
  const char *body;
} asked;
typedef bool server_answer(const asked *a); /* false: close the connection */

enum { SERVER_CONNECTIONS = 1024 };

struct server {
  int fd, port;
  char url[80], name[64]; /* http://127.0.0.1:PORT · 127.0.0.1:PORT */
  server_answer *answer;
  pthread_t thread, threads[SERVER_CONNECTIONS];
  int fds[SERVER_CONNECTIONS];
  atomic_int connections, requests, busy, most;
  bool raw;         /* the function speaks first, once for each connection */
  char last[16384]; /* the last request, for a look after the fact */
};

typedef struct connection {
  server *server;
  int fd;
} connection;

static inline void say(const asked *a, const char *bytes, size_t size) {
  while (size) {
    ssize_t n = send(a->fd, bytes, size, MSG_NOSIGNAL);
    if (n <= 0) return;
    bytes += n;
    size -= (size_t)n;
  }
}

static inline void say_text(const asked *a, const char *text) { say(a, text, strlen(text)); }

/* A whole reply; `heads` are further header lines, each with its CR LF. */
static inline bool reply(const asked *a, int status, const char *heads, const char *body) {
  char head[2048];
  snprintf(head, sizeof head, "HTTP/1.1 %d Said\r\nContent-Length: %zu\r\n%s\r\n", status,
           strlen(body), heads);
  say_text(a, head);
  say_text(a, body);
  return true;
}

static inline bool server_read(connection *c, char *text, size_t room, const char **body) {
  size_t n = 0;
  for (;;) {
    text[n] = 0;
    char *end = strstr(text, "\r\n\r\n");
    const char *length = strcasestr(text, "\r\nContent-Length:");
    size_t more = end && length && length < end ? (size_t)atol(length + 17) : 0;
    if (end && n >= (size_t)(end + 4 - text) + more) {
      *body = end + 4;
      return true;
    }
    ssize_t got = recv(c->fd, text + n, room - 1 - n, 0);
    if (got <= 0) return false;
    n += (size_t)got;
  }
}

static inline void *server_talk(void *arg) {
  connection c = *(connection *)arg;
  free(arg);
  server *s = c.server;
  char *text = malloc(sizeof s->last);
  asked a = {.server = s, .fd = c.fd, .text = text};
  if (s->raw) s->answer(&a);
  for (bool go = !s->raw; go && server_read(&c, text, sizeof s->last, &a.body);) {
    a.number = atomic_fetch_add(&s->requests, 1) + 1;
    int busy = atomic_fetch_add(&s->busy, 1) + 1;
    if (busy > atomic_load(&s->most)) atomic_store(&s->most, busy);
    memcpy(s->last, text, sizeof s->last);
    go = s->answer(&a);
    atomic_fetch_sub(&s->busy, 1);
  }
  shutdown(c.fd, SHUT_RDWR);
  free(text);
  return NULL;
}

static inline void *server_accept(void *arg) {
  server *s = arg;
  int fd;
  while ((fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
    int i = atomic_load(&s->connections);
    connection *c = malloc(sizeof *c);
    *c = (connection){s, fd};
    s->fds[i] = fd;
    if (i >= SERVER_CONNECTIONS || pthread_create(&s->threads[i], NULL, server_talk, c) != 0)
      abort();
    atomic_store(&s->connections, i + 1);
  }
  return NULL;
}

static inline void server_open_at(server *s, server_answer *says, const char *address) {
  struct sockaddr_in in = {.sin_family = AF_INET};
  socklen_t size = sizeof in;
  bool raw = s->raw;
  memset(s, 0, sizeof *s);
  s->raw = raw;
  inet_pton(AF_INET, address, &in.sin_addr);
  s->answer = says;
  s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(bind(s->fd, (struct sockaddr *)&in, sizeof in), 0);
  assert_int_equal(listen(s->fd, 128), 0);
  getsockname(s->fd, (struct sockaddr *)&in, &size);
  s->port = ntohs(in.sin_port);
  snprintf(s->name, sizeof s->name, "%s:%d", address, s->port);
  snprintf(s->url, sizeof s->url, "http://%s", s->name);
  assert_int_equal(pthread_create(&s->thread, NULL, server_accept, s), 0);
}

static inline void server_open(server *s, server_answer *says) {
  server_open_at(s, says, "127.0.0.1");
}

static inline void server_close(server *s) {
  shutdown(s->fd, SHUT_RDWR);
  pthread_join(s->thread, NULL);
  close(s->fd);
  for (int i = 0; i < atomic_load(&s->connections); i++) {
    shutdown(s->fds[i], SHUT_RDWR);
    pthread_join(s->threads[i], NULL);
    close(s->fds[i]);
  }
}

/* allow_private with these servers in it */
static UNUSED value server_allow(arena *a, const server *one, const server *two) {
  value list = value_list();
  value_add(a, &list, value_text(one->name));
  if (two) value_add(a, &list, value_text(two->name));
  return list;
}

#endif
