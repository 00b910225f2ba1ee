/* history.h -- a small store in memory that lives through a random history, and its judge.
 *
 * The machine under test is two functions, so that a deliberately wrong one can be put in its
 * place. Several workers speak for leases that they may have lost without knowing; reapers act on
 * what they read earlier; the clock jumps; the engine is killed and started again. The judge keeps
 * books of its own (attempt rows, lease holder, budgets, keys) and never asks job_step() what is
 * right. Used by job_history_test.c alone; judge.h is its other half.
 *
 * SPDX-License-Identifier: MIT */
#ifndef TEST_CORE_HISTORY_H
#define TEST_CORE_HISTORY_H

#include <string.h>

#include "chance.h"
#include "judge.h"

#define JOBS    8
#define WORKERS 4
#define READERS 2
#define KEYS    6
#define HOUR    ((int64_t)3600 * 1000)

typedef job_key_verdict (*history_key)(const job_state *holder, bool same_payload, int64_t now_ms,
                                       int64_t window_ms);

typedef struct machine {
  job_verdict (*step)(const job_state *, const job_event *, int64_t, double, job_state *,
                      job_effects *);
  history_key key;
} machine;

typedef struct claim { /* what somebody read: this job, leased under this epoch */
  int slot;
  long serial;
  int64_t epoch;
} claim;

typedef struct history {
  machine m;
  uint64_t seed;
  int64_t now;
  book jobs[JOBS];
  claim workers[WORKERS], readers[READERS];
  long serial, enqueued, pruned;
  long steps, verdicts[4], reached[7], longest; /* that a run was not idle */
  const char *wrong;
} history;

static void history_say(history *h, int slot, job_event e) {
  book *b = &h->jobs[slot];
  double random = chance_unit(&h->seed);
  verdict_of v = {.before = b->s, .e = e, .now = h->now, .random = random};
  v.verdict = h->m.step(&b->s, &e, h->now, random, &v.out, &v.fx);
  h->steps++;
  h->verdicts[v.verdict]++;
  const char *wrong = judge(b, &v);
  if (wrong && !h->wrong) h->wrong = wrong;
  b->s = v.out;
  h->reached[v.out.status < 7 ? v.out.status : 0]++;
  if (b->epochs > h->longest) h->longest = b->epochs;
  if (v.verdict == JOB_OK && e.kind == JOB_PRUNE) b->exists = false, h->pruned++;
}

static book *history_holder(history *h, int key) {
  book *newest = NULL;
  for (int i = 0; i < JOBS; i++) {
    book *b = &h->jobs[i];
    if (b->exists && b->key == key && (!newest || b->serial > newest->serial)) newest = b;
  }
  return newest;
}

static void history_enqueue(history *h) {
  static const int limits[] = {0, 1, 5, 5, 5, 100};
  int key = chance_below(&h->seed, KEYS), payload = chance_below(&h->seed, 4) == 0, slot = 0;
  while (slot < JOBS && h->jobs[slot].exists) slot++;
  if (slot == JOBS) return;
  book *holder = history_holder(h, key);
  bool same = holder && holder->payload == payload;
  job_key_verdict v = h->m.key(holder ? &holder->s : NULL, same, h->now, JOB_KEY_WINDOW_MS);
  bool held = holder && (!job_is_over(holder->s.status) || h->now - holder->born <= 24 * HOUR);
  job_key_verdict right = !held ? JOB_KEY_NEW : same ? JOB_KEY_SAME : JOB_KEY_CONFLICT;
  if (v != right && !h->wrong) h->wrong = "a key was forgotten or kept too long";
  if (v != JOB_KEY_NEW) return;
  int64_t run_at = h->now + chance_below(&h->seed, 3) * 1000;
  int limit = limits[chance_below(&h->seed, 6)];
  bool once = chance_below(&h->seed, 4) == 0;
  h->jobs[slot] = (book){.exists = true, .key = key, .payload = payload, .born = h->now};
  h->jobs[slot].s = job_begin(h->now, run_at, limit, once);
  h->jobs[slot].aged = run_at;
  h->jobs[slot].mood = chance_below(&h->seed, 6);
  h->jobs[slot].serial = ++h->serial;
  h->enqueued++;
}

static void history_lease(history *h, int slot) {
  book *b = &h->jobs[slot];
  claim *w = &h->workers[chance_below(&h->seed, WORKERS)];
  job_event e = {.kind = JOB_LEASE};
  e.lease.paused = chance_below(&h->seed, 10) == 0;
  e.lease.breaker_open = chance_below(&h->seed, 10) == 0;
  e.lease.group_busy = chance_below(&h->seed, 10) == 0;
  e.lease.total_ms = chance_below(&h->seed, 2) * 300000;
  if (b->epochs == BOOK_ROWS) return;
  history_say(h, slot, e);
  if (b->s.status == JOB_LEASED) *w = (claim){slot, b->serial, b->s.epoch};
}

/* What a worker says next: mostly what its job's mood is, so that the far ends are reached. */
static job_event history_speech(history *h, int mood) {
  static const job_event_kind moods[] = {JOB_CHECKPOINT, JOB_FAIL,     JOB_FAIL,
                                         JOB_DEFER,      JOB_HANDBACK, JOB_INTERRUPTED};
  int random = chance_below(&h->seed, 60);
  job_event e = {.kind = moods[mood]};
  if (mood == 0 || random < 4) {
    e.kind = (job_event_kind)(JOB_HEARTBEAT + chance_below(&h->seed, 10));
  }
  if (e.kind == JOB_LEASE_EXPIRED) e.kind = JOB_HEARTBEAT;
  if (e.kind == JOB_FAIL) {
    e.fail.permanent = chance_below(&h->seed, 30) == 0;
    e.fail.reason = "HTTP_500";
  } else if (e.kind == JOB_DEFER) {
    e.defer.retry_after_ms = (chance_below(&h->seed, 9) == 0) * 5000000;
  } else if (e.kind == JOB_SLEEP) {
    e.sleep.until = h->now + chance_below(&h->seed, 100000) - 1000;
  } else if (e.kind == JOB_WORKER_LOST) {
    e.lost.signal = 11;
  }
  return e;
}

/* The worker's own idea of its epoch, however old. */
static void history_work(history *h) {
  claim *w = &h->workers[chance_below(&h->seed, WORKERS)];
  book *b = &h->jobs[w->slot];
  if (!w->serial || !b->exists || b->serial != w->serial) return;
  job_event e = history_speech(h, b->mood);
  e.epoch = w->epoch;
  bool late = b->s.status != JOB_LEASED || b->s.epoch != w->epoch;
  history_say(h, w->slot, e);
  if (late && chance_below(&h->seed, 3)) *w = (claim){0}; /* it heard that it was fenced */
}

/* The job's next step as it should go, so that histories get far as well as wide. */
static void history_drive(history *h, int slot) {
  book *b = &h->jobs[slot];
  if (b->s.status == JOB_WAITING) {
    if (b->s.run_at > h->now) h->now = b->s.run_at;
    history_say(h, slot, (job_event){.kind = JOB_TICK});
  } else if (b->s.status == JOB_QUEUED) {
    history_lease(h, slot);
  } else if (b->s.status == JOB_LEASED) {
    job_event e = history_speech(h, b->mood);
    e.epoch = b->s.epoch;
    history_say(h, slot, e);
  }
}

/* One reaper reads; it, or the other one, acts on what it read some other time. */
static void history_reap(history *h, int slot) {
  claim *r = &h->readers[chance_below(&h->seed, READERS)];
  book *b = &h->jobs[r->slot];
  if (r->serial && b->exists && b->serial == r->serial && chance_below(&h->seed, 2)) {
    history_say(h, r->slot, (job_event){.kind = JOB_LEASE_EXPIRED, .epoch = r->epoch});
  }
  b = &h->jobs[slot];
  bool due = b->exists && b->s.status == JOB_LEASED && h->now >= b->s.lease_until;
  if (due) *r = (claim){slot, b->serial, b->s.epoch};
}

static void history_person(history *h, int slot) {
  static const job_event_kind kinds[] = {JOB_RELEASE, JOB_RELEASE, JOB_RELEASE, JOB_DROP,
                                         JOB_CANCEL};
  job_event e = {.kind = kinds[chance_below(&h->seed, 5)]};
  if (e.kind == JOB_CANCEL && chance_below(&h->seed, 4)) return;
  if (e.kind != JOB_CANCEL) {
    e.person.permitted = chance_below(&h->seed, 5) != 0;
    e.person.reason = chance_below(&h->seed, 2) ? "no longer wanted" : "";
  }
  history_say(h, slot, e);
}

static void history_restart(history *h) {
  for (int i = 0; i < JOBS; i++) {
    book *b = &h->jobs[i];
    if (!b->exists || b->s.status != JOB_LEASED) continue;
    history_say(h, i, (job_event){.kind = JOB_INTERRUPTED, .epoch = b->s.epoch});
  }
}

static void history_clock(history *h, int slot) {
  const book *b = &h->jobs[slot];
  switch (chance_below(&h->seed, 40)) {
  case 0:
    if (chance_below(&h->seed, 30) == 0) h->now += chance_below(&h->seed, 30) * HOUR;
    break;
  case 1: h->now -= chance_below(&h->seed, 200) * 1000; break;
  case 2: h->now += 61000; break;
  case 3:
  case 4:
  case 5:
  case 6:
    if (b->exists && b->s.status == JOB_WAITING && b->s.run_at > h->now) h->now = b->s.run_at;
    break;
  default: h->now += chance_below(&h->seed, 2000);
  }
}

static void history_step(history *h) {
  int slot = chance_below(&h->seed, JOBS), what = chance_below(&h->seed, 400);
  const job_event prune = {.kind = JOB_PRUNE, .prune = {JUDGE_RETENTION_MS, JOB_KEY_WINDOW_MS}};
  history_clock(h, slot);
  if (what == 0) {
    history_restart(h);
  } else if (what < 30) {
    history_enqueue(h);
  } else if (what < 110) {
    history_work(h);
  } else if (!h->jobs[slot].exists) {
    return;
  } else if (what < 310) {
    history_drive(h, slot);
  } else if (what < 330) {
    history_say(h, slot, (job_event){.kind = JOB_TICK});
  } else if (what < 360) {
    history_lease(h, slot);
  } else if (what < 385) {
    history_reap(h, slot);
  } else if (what < 392) {
    history_person(h, slot);
  } else {
    history_say(h, slot, prune);
  }
}

/* No payload is lost: what was enqueued is there or was pruned when it was over. */
static const char *history_sum(const history *h) {
  long there = 0;
  for (int i = 0; i < JOBS; i++) there += h->jobs[i].exists;
  return there + h->pruned == h->enqueued ? NULL : "a job was lost";
}

/* NULL, or what went wrong first. */
static const char *history_run(history *h, machine m, uint64_t seed, long steps) {
  *h = (history){.m = m, .seed = seed * 7919 + 1, .now = 1700000000000};
  while (h->steps < steps && !h->wrong) history_step(h);
  return h->wrong ? h->wrong : history_sum(h);
}

#endif
