/* alerts_look.c -- one look at one alert: query (pool thread), step, write when anything changed,
 * notices when one is owed, write again. Until all that is over the alert is busy and is not
 * looked at.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "flow/alerts/alert_message.h"
#include "flow/alerts/alerts_parts.h"
#include "flow/kernel/parts.h"
#include "flow/kernel/reader.h"
#include "format/json.h"

enum { LIMIT_ROWS = 10000, KEPT_ROWS = 10 };

/* ---- the row of dts_alert ---- */

static int read_state(void *arg, const store_header *header, const value *row, dts_error *e) {
  look *l = arg;
  const char *name = row[0].kind == VALUE_TEXT ? row[0].text.bytes : "";
  (void)header, (void)e;
  l->known = true;
  l->had_fault = row[3].kind == VALUE_INTEGER;
  if (!alert_name_read(name, &l->state.name)) return 0;
  l->state.since = row[1].kind == VALUE_INTEGER ? row[1].integer : 0;
  l->state.told = row[2].kind == VALUE_INTEGER ? row[2].integer : 0;
  return 0;
}

static int select_state(store_conn *c, void *arg, dts_error *e) {
  look *l = arg;
  value name = value_text(l->alert->name);
  return store_select(c,
                      "select a.state, a.since, a.told, f.at from dts_alert a left join "
                      "dts_alert_fault f on f.name = a.name where a.name = ?1",
                      &name, 1, read_state, l, e);
}

/* Why people were not told, or the query not asked: kept until either is well again. */
static int write_fault(store_conn *c, void *arg, dts_error *e) {
  look *l = arg;
  value row[] = {value_text(l->alert->name), value_integer(l->now), value_text(l->fault)};
  store_touch(c, "dts_alert");
  return store_exec(c,
                    "insert into dts_alert_fault (name, at, error) values (?1, ?2, ?3) on conflict "
                    "(name) do update set at = ?2, error = ?3",
                    row, 3, e);
}

static int clear_fault(store_conn *c, look *l, dts_error *e) {
  value name = value_text(l->alert->name);
  return store_exec(c, "delete from dts_alert_fault where name = ?1", &name, 1, e);
}

static int write_state(store_conn *c, void *arg, dts_error *e) {
  look *l = arg;
  value row[] = {value_text(l->alert->name), value_text(alert_name_text(l->state.name)),
                 value_integer(l->state.since),
                 l->state.told ? value_integer(l->state.told) : value_null(), value_text(l->kept)};
  store_touch(c, "dts_alert");
  if ((l->notice == NOTICE_NONE || l->all_sent) && clear_fault(c, l, e) < 0) return -1;
  return store_exec(
      c,
      "insert into dts_alert (name, state, since, told, rows) values (?1, ?2, ?3, ?4, ?5) on "
      "conflict (name) do update set state = ?2, since = ?3, told = ?4, rows = ?5",
      row, 5, e);
}

/* ---- asking ---- */

static void ask_work(void *arg) {
  look *l = arg;
  const alert *x = l->alert;
  kernel *k = l->kernel;
  const reader_context context = {
      .set = l->set, .store = kernel_store(k), .now = l->now, .zone = l->set->zone};
  value none = value_map();
  l->rc = store_read(kernel_store(k), select_state, l, &l->error);
  if (l->rc < 0) return;
  if (x->when)
    l->rc = reader_sql(&context, x->when, &none, 0, LIMIT_ROWS, &l->memory, &l->answer, &l->tables,
                       &l->error);
  else
    l->rc = x->builtin->ask(&context, kernel_root(k), &l->memory, &l->answer, &l->error);
}

/* [{column: value}] of the first rows. */
static char *kept_rows(look *l) {
  const value *columns = value_get(&l->answer, "columns"), *rows = value_get(&l->answer, "rows");
  value list = value_list();
  buffer b;
  for (size_t i = 0; i < rows->list.count && i < KEPT_ROWS; i++) {
    value row = value_map();
    for (size_t k = 0; k < columns->list.count; k++)
      value_set(&l->memory, &row, columns->list.items[k].text.bytes,
                rows->list.items[i].list.items[k]);
    value_add(&l->memory, &list, row);
  }
  buffer_init(&b, 1 << 20);
  json_write(&b, &list);
  char *text = arena_text(&l->memory, buffer_text(&b));
  buffer_free(&b);
  return text;
}

static void end_look(look *l) {
  alert *x = l->alert;
  alerts *s = l->owner;
  x->look = NULL;
  s->looks--;
  registry_release(l->set);
  arena_free(&l->memory);
  free(l);
  if (s->current)
    alerts_free_when_done(s);
  else
    alert_schedule(x);
}

/* ---- telling ---- */

static void on_told(void *arg, int result, const dts_error *e) {
  look *l = arg;
  if (result < 0)
    log_warn("alert '%s': that people were told could not be kept: %s", l->alert->name, e->message);
  else
    memset(l->alert->reached, 0, sizeof l->alert->reached);
  end_look(l);
}

static void on_fault_kept(void *arg, int result, const dts_error *e) {
  look *l = arg;
  if (result < 0)
    log_warn("alert '%s': its fault could not be kept: %s", l->alert->name, e->message);
  end_look(l);
}

/* Unless all were told the notice is still owed: the next look sends it. */
static void finish_sending(look *l) {
  if (!l->all_sent) return kernel_write(l->kernel, write_fault, on_fault_kept, l);
  alert_told(&l->state, kernel_now(l->kernel));
  kernel_write(l->kernel, write_state, on_told, l);
}

/* What a failed request says may hold the whole address, so also the secret in it. */
static void note_untold(look *l, const char *address, const dts_error *e) {
  bool plain = !strstr(address, "{secret:") || strcmp(e->code, "ALERT") == 0 ||
               strcmp(e->code, "HTTP_STATUS") == 0;
  l->fault = arena_format(&l->memory, "not told: %s: %s", address,
                          plain ? e->message : "it could not be reached");
}

static void on_sent(void *arg, alert_send *s, const dts_error *e) {
  look *l = arg;
  size_t i = 0;
  while (l->sends[i] != s) i++;
  l->sends[i] = NULL;
  l->alert->reached[i] = e == NULL;
  if (e) {
    l->all_sent = false;
    note_untold(l, l->alert->to.list.items[i].text.bytes, e);
    log_warn("alert '%s': %s could not be told: %s; tried again with the next look", l->alert->name,
             l->alert->to.list.items[i].text.bytes, e->message);
  }
  if (--l->sending == 0) finish_sending(l);
}

static const char *project_name(const kernel *k) {
  const char *root = kernel_root(k), *slash = strrchr(root, '/');
  return value_get_text(kernel_config(k), "name", slash && slash[1] ? slash + 1 : root);
}

static alert_letter write_letter(look *l) {
  arena *a = &l->memory;
  static const value none = {.kind = VALUE_LIST};
  bool over = l->notice == NOTICE_RECOVERY;
  const alert_message m = {.project = project_name(l->kernel),
                           .alert = l->alert->name,
                           .message = l->alert->message,
                           .notice = l->notice,
                           .since = l->state.since,
                           .now = l->now,
                           .zone = l->set->zone,
                           .columns = over ? &none : value_get(&l->answer, "columns"),
                           .rows = over ? &none : value_get(&l->answer, "rows")};
  return (alert_letter){.subject = alert_message_subject(&m, a),
                        .text = alert_message_text(&m, a),
                        .json = alert_message_json(&m, a),
                        .key = arena_format(a, "%s-%lld-%lld-%s", l->alert->name,
                                            (long long)l->state.since, (long long)l->state.told,
                                            alert_notice_text(l->notice))};
}

static void tell_listeners(look *l) {
  value event = value_map();
  value_set(&l->memory, &event, "name", value_text("alert"));
  value_set(&l->memory, &event, "alert", value_text(l->alert->name));
  value_set(&l->memory, &event, "state", value_text(alert_name_text(l->state.name)));
  kernel_tell(l->kernel, 0, &event);
}

static void send_notice(look *l) {
  const value *to = &l->alert->to;
  alert_letter letter = write_letter(l);
  log_warn("%s", letter.subject);
  l->all_sent = true;
  for (size_t i = 0; i < to->list.count && i < ADDRESSES; i++) {
    if (l->alert->reached[i] || to->list.items[i].kind != VALUE_TEXT) continue;
    letter.address = to->list.items[i].text.bytes;
    l->sends[i] = alert_send_start(l->kernel, &letter, on_sent, l);
    l->sending++;
  }
  if (!l->sending) finish_sending(l);
}

/* ---- a look ---- */

static void on_written(void *arg, int result, const dts_error *e) {
  look *l = arg;
  if (result < 0) {
    log_warn("alert '%s': its state could not be kept: %s", l->alert->name, e->message);
    return end_look(l);
  }
  if (l->changed) tell_listeners(l);
  if (l->notice == NOTICE_NONE || l->owner->current) return end_look(l);
  send_notice(l);
}

static void complain(look *l) {
  if (l->alert->complained) return end_look(l);
  log_warn("alert '%s' could not be asked: %s", l->alert->name, l->error.message);
  l->alert->complained = true;
  l->fault = arena_format(&l->memory, "could not be asked: %s", l->error.message);
  kernel_write(l->kernel, write_fault, on_fault_kept, l);
}

static void ask_then(void *arg) {
  look *l = arg;
  const alert *x = l->alert;
  if (l->rc < 0) return complain(l);
  l->alert->complained = false;
  const alert_state before = l->state;
  bool rows = value_get(&l->answer, "rows")->list.count > 0;
  l->notice = alert_asked(&l->state, rows, l->now, x->hold_ms, x->remind_ms);
  l->kept = kept_rows(l);
  l->changed = before.name != l->state.name || before.since != l->state.since;
  bool quiet = l->known && !l->had_fault && before.name == ALERT_OK;
  if (quiet && !l->changed && l->notice == NOTICE_NONE) return end_look(l);
  if (l->changed) memset(l->alert->reached, 0, sizeof l->alert->reached);
  kernel_write(l->kernel, write_state, on_written, l);
}

static bool is_busy_elsewhere(const alerts *s, const char *name) {
  for (const alerts *old = s->replaced; old; old = old->replaced)
    for (const alert *x = old->first; x; x = x->next)
      if (x->look && strcmp(x->name, name) == 0) return true;
  return false;
}

void alert_look(alert *x) {
  alerts *s = x->owner;
  if (x->look || is_busy_elsewhere(s, x->name)) return;
  look *l = memory_alloc(sizeof *l);
  l->kernel = s->kernel;
  l->alert = x;
  l->owner = s;
  l->set = registry_hold(s->set);
  l->now = kernel_now(s->kernel);
  x->look = l;
  s->looks++;
  loop_defer(kernel_loop(s->kernel), ask_work, ask_then, l);
}
