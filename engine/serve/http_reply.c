/* http_reply.c -- see http.h: replies, errors as JSON, and the headers that every reply carries.
 *
 * The policy lets pages load what this engine serves and nothing else; nothing here grants another
 * origin anything.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "format/date.h"
#include "format/json.h"
#include "serve/http.h"

void http_set(http_reply *rp, const char *name, const char *text) {
  if (rp->header_count == HTTP_REPLY_HEADERS) return;
  rp->headers[rp->header_count++] = (pair){name, text};
}

void http_reply_json(http_reply *rp, const value *v) {
  if (!rp->status) rp->status = 200;
  rp->type = "application/json";
  json_write(&rp->body, v);
}

static const struct {
  int status;
  const char *code;
} statuses[] = {
    {400, "JSON"},          {400, "BODY"},       {401, "NO_KEY"},     {403, "SCOPE_MISSING"},
    {403, "TABLE_REFUSED"}, {404, "NO_ROUTE"},   {404, "PIPELINE"},   {404, "TABLE"},
    {404, "RUN"},           {404, "FILE"},       {404, "KEY"},        {404, "JOB"},
    {404, "PAGE"},          {404, "OBJECT"},     {409, "CONFLICT"},   {409, "NO_PIPELINE"},
    {413, "LIMIT_SIZE"},    {422, "PARAM"},      {422, "SQL"},        {422, "COLUMN"},
    {422, "WHERE"},         {422, "SCHEMA"},     {422, "SCOPE"},      {422, "KEY_NAME"},
    {422, "LIMIT_ROWS"},    {422, "ENCODING"},   {422, "LIMIT_TIME"}, {422, "CHART"},
    {429, "BUSY"},          {503, "QUEUE_FULL"}, {503, "CLOSING"},    {503, "LIMIT_DISK"},
    {422, "ENQUEUE"},
};

static int status_of(const dts_error *e) {
  if (e->status >= 400 && e->status < 600) return e->status;
  for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
    if (strcmp(statuses[i].code, e->code) == 0) return statuses[i].status;
  return e->retryable ? 503 : 500;
}

void http_reply_error(http_reply *rp, const dts_error *e) {
  arena a = {0};
  value fault = value_map(), body = value_map();
  value_set(&a, &fault, "code", value_text(e->code[0] ? e->code : "ERROR"));
  value_set(&a, &fault, "message", value_text(e->message));
  if (e->hint[0]) value_set(&a, &fault, "hint", value_text(e->hint));
  if (e->where[0]) value_set(&a, &fault, "where", value_text(e->where));
  value_set(&a, &body, "error", fault);
  buffer_clear(&rp->body);
  rp->body.failed = false;
  rp->status = status_of(e);
  rp->type = "application/json";
  rp->cache = rp->etag = NULL;
  rp->packed = false;
  if (rp->status == 401) http_set(rp, "WWW-Authenticate", "Bearer");
  if (rp->status == 503) http_set(rp, "Retry-After", "5");
  json_write(&rp->body, &body);
  arena_free(&a);
}

static const char *reason_of(int status) {
  switch (status) {
  case 200: return "OK";
  case 201: return "Created";
  case 202: return "Accepted";
  case 204: return "No Content";
  case 304: return "Not Modified";
  case 400: return "Bad Request";
  case 401: return "Unauthorized";
  case 403: return "Forbidden";
  case 404: return "Not Found";
  case 405: return "Method Not Allowed";
  case 409: return "Conflict";
  case 411: return "Length Required";
  case 413: return "Content Too Large";
  case 421: return "Misdirected Request";
  case 422: return "Unprocessable Content";
  case 429: return "Too Many Requests";
  case 431: return "Request Header Fields Too Large";
  case 500: return "Internal Server Error";
  case 501: return "Not Implemented";
  case 503: return "Service Unavailable";
  case 504: return "Gateway Timeout";
  default: return status < 300 ? "OK" : status < 400 ? "Redirection" : "Error";
  }
}

static const char manners[] = "X-Content-Type-Options: nosniff\r\n"
                              "Referrer-Policy: no-referrer\r\n"
                              "Content-Security-Policy: default-src 'self'; style-src 'self' "
                              "'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; "
                              "base-uri 'none'; form-action 'self'\r\n"
                              "Cross-Origin-Resource-Policy: same-origin\r\n";

/* A header's text comes from scripts too: anything that could begin a new line ends it, and any
 * other control character as well. */
static void add_header(buffer *out, const char *name, const char *text) {
  size_t size = 0;
  while ((unsigned char)text[size] >= 32 && text[size] != 127) size++;
  buffer_add_text(out, name);
  buffer_add_text(out, ": ");
  buffer_add(out, text, size);
  buffer_add_text(out, "\r\n");
}

void http_head(const http_reply *rp, int64_t length, int64_t now, buffer *out) {
  char date[30];
  http_date_write(now, date);
  buffer_add_format(out, "HTTP/1.1 %d %s\r\nDate: %s\r\n", rp->status, reason_of(rp->status), date);
  if (rp->type) add_header(out, "Content-Type", rp->type);
  if (length >= 0 && rp->status != 304 && rp->status != 204)
    buffer_add_format(out, "Content-Length: %lld\r\n", (long long)length);
  if (rp->packed) buffer_add_text(out, "Content-Encoding: gzip\r\n");
  add_header(out, "Cache-Control", rp->cache ? rp->cache : "no-store");
  if (rp->etag) add_header(out, "ETag", rp->etag);
  if (rp->etag || rp->packed) buffer_add_text(out, "Vary: Accept-Encoding\r\n");
  for (size_t i = 0; i < rp->header_count; i++)
    add_header(out, rp->headers[i].name, rp->headers[i].text);
  buffer_add(out, manners, sizeof manners - 1);
  buffer_add_text(out, rp->close ? "Connection: close\r\n\r\n" : "Connection: keep-alive\r\n\r\n");
}
