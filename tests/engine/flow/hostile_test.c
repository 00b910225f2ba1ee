/* hostile_test.c -- an engine whose workers are in an attacker's hands: this program is its own nursery. What
 * must hold whatever a worker sends: the engine lives, the run ends, and nothing was written or learnt that
 * the pipeline has no right to.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/hostile_worker.h"

#define FIELDS(line) "\"file\":\"pipelines/x.lua\",\"line\":" line
#define TABLE(name, more)                                                                          \
  "{\"noun\":\"table\",\"name\":\"" name "\",\"key\":[\"id\"],\"columns\":[{\"name\":\"id\","      \
  "\"type\":\"integer\"},{\"name\":\"v\",\"type\":\"text\"},{\"name\":\"j\",\"type\":\"json\"}]"   \
  "," more "}"

static const char OTHERS[] = "{\"declare\":[" TABLE(
    "theirs",
    "\"private\":true,\"file\":\"pipelines/y.lua\",\"line\":1") ",{\"noun\":\"pipeline\",\"name\":"
                                                                "\"good\",\"file\":\"pipelines/"
                                                                "y.lua\",\"line\":2,"
                                                                "\"trigger\":\"hand\",\"tables\":["
                                                                "\"theirs\"],\"params\":[{\"name\":"
                                                                "\"n\",\"type\":"
                                                                "\"integer\",\"required\":true}]}],"
                                                                "\"say\":{\"good\":[{\"op\":40,"
                                                                "\"args\":{\"table\":\"theirs\","
                                                                "\"rows\":[[1,\"one\",null]]}}]}}";

typedef struct
    attempt { /* what one run says, and the code of the error that ends it; "" for none */
  const char *frames, *code;
} attempt;

static void write_file(bench *b, const attempt *list, size_t count, const char *serve) {
  buffer out;
  buffer_init(&out, 1 << 20);
  buffer_add_text(&out, "{\"declare\":[" TABLE("mine", FIELDS("1")));
  for (size_t i = 0; i < count; i++)
    buffer_add_format(
        &out,
        ",{\"noun\":\"pipeline\",\"name\":\"p%zu\",\"trigger\":\"hand\",\"tables\":"
        "[\"mine\"],\"limits\":{\"time_ms\":1500,\"memory\":4194304}," FIELDS("%zu") "}",
        i, i + 10);
  buffer_add_text(&out,
                  ",{\"noun\":\"route\",\"name\":\"GET /api/r\",\"method\":\"GET\",\"path\":"
                  "\"/api/r\",\"handler\":true,\"timeout_ms\":300," FIELDS("3") "}],\"say\":{");
  for (size_t i = 0; i < count; i++) buffer_add_format(&out, "\"p%zu\":[%s],", i, list[i].frames);
  buffer_add_format(&out, "\"serve\":[%s]}}", serve);
  for (size_t i = 0; i < out.size; i++) /* written with ' above, to be read */
    if (out.data[i] == '\'') out.data[i] = '"';
  bench_write(b, "pipelines/x.lua", buffer_text(&out));
  buffer_free(&out);
}

static const char *run_good(bench *b) {
  const bench_answer *a =
      bench_ask(b, "{\"name\":\"run\",\"target\":\"good\",\"params\":{\"n\":1}}");
  bench_settle(b);
  return value_get_text(&a->answer, "state", a->error.message);
}

static bench *begin(const attempt *list, size_t count, const char *serve) {
  char self[4096];
  ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
  assert_true(size > 0);
  self[size] = '\0';
  setenv("DTS_WORKER", self, 1);
  bench *b = bench_new();
  b->options.serving = true;
  bench_write(b, "pipelines/y.lua", OTHERS);
  write_file(b, list, count, serve);
  bench_open(b);
  bench_faults(b);
  assert_string_equal(run_good(b), "done");
  return b;
}

/* The others' table is as it was, nothing was asked of them, and they still work. */
static void end(bench *b) {
  bench_settle(b);
  bench_expect(b, "select id, v from theirs", "1|one\n");
  bench_expect(b, "select count(*) from dts_job where pipeline = 'good'", "1\n");
  assert_string_equal(run_good(b), "done");
  bench_close(b);
}

static bool try_one(bench *b, size_t i, const attempt *one) {
  bench_run(b, arena_format(&b->memory, "p%zu", i));
  char *error = arena_text(
      &b->memory,
      bench_text(b, "select coalesce(error ->> 'code', '') || ' ' || "
                    "coalesce(error ->> 'message', '') from dts_run order by id desc limit 1"));
  size_t size = strcspn(error, " ");
  error[strcspn(error, "\n")] = '\0';
  if (size == strlen(one->code) && strncmp(error, one->code, size) == 0) return true;
  print_message("%s: '%s' expected, got '%s'\n", one->frames, one->code, error);
  return false;
}

static size_t count_descriptors(void) {
  size_t count = 0;
  DIR *all = opendir("/proc/self/fd");
  while (all && readdir(all)) count++;
  closedir(all);
  return count;
}

static void try_all(const attempt *list, size_t count) {
  bench *b = begin(list, count, "");
  size_t before = count_descriptors();
  bool good = true;
  for (size_t i = 0; i < count; i++) good = try_one(b, i, &list[i]) && good;
  if (count_descriptors() > before + 20) /* the store may have opened some */
    fail_msg("%zu descriptors were open, now %zu are", before, count_descriptors());
  end(b);
  assert_true(good);
}

static const attempt ROWS[] = {
    {"{'op':40,'args':{'table':'theirs','rows':[[2,'x',null]]}}", "TABLE_REFUSED"},
    {"{'op':40,'args':{'table':'dts_job','rows':[[2,'x',null]]}}", "TABLE_REFUSED"},
    {"{'op':40,'args':{'table':'mine\\u0000','rows':[]}}", ""},
    {"{'op':40,'args':{'table':'mine','rows':[[1]]}}", "WIRE"},
    {"{'op':40,'args':{'table':'mine','rows':[[1,'a',null,4]]}}", "WIRE"},
    {"{'op':40,'args':{'table':'mine','rows':[1,2]}}", "WIRE"},
    {"{'op':40,'args':{'table':'mine','rows':5}}", "WIRE"},
    {"{'op':40,'args':{'table':'mine','rows':{'a':1}}}", "WIRE"},
    {"{'op':40,'args':{'table':'mine'}}", "WIRE"},
    {"{'op':40,'args':{'rows':[[1,'a',null]],'table':'mine'}}", "WIRE"},
    {"{'op':40,'args':{'table':['mine'],'rows':[[1,'a',null]]}}", "WIRE"},
    {"{'op':40,'args':{'table':'mine','step':'none','rows':[[1,'a',null]]}}", "STEP"},
    {"{'op':40,'args':{'table':'mine','rows':[['x','a',null]]}}", "COLUMN"},
    {"{'op':40,'args':{'table':'mine','rows':[[null,'a',null]]}}", "COLUMN"},
    {"{'op':40,'args':{'table':'mine','rows':[[1,['a'],null]]}}", "WIRE"},
    {"{'op':40,'args':{'table':'mine','rows':[[1,'a\\u0000b',null]]}}", "COLUMN"},
    {"{'op':40,'args':{'table':'mine','rows':[[9223372036854775807,'a',{'deep':[[[[]]]]}]]}}", ""},
    {"{'op':40,'args':[1,2,3]}", "WIRE"},
    {"{'op':40,'args':'text'}", "WIRE"},
    {"{'op':40}", "WIRE"},
    {"{'op':40,'hex':'07'}", "WIRE"},
    {"{'op':40,'hex':'07ffffffffffffffffff01'}", "WIRE"},
    {"{'op':40,'hex':'0702857461626c65846d696e6584726f777306ffffffff0f'}", "WIRE"},
    {"{'op':40,'hex':'09857461626c65846d696e6584726f77730806032184610000'}", "WIRE"},
    {"{'op':40,'hex':'"
     "0703857461626c65846d696e65857461626c658674686569727384726f77730601060322817800'}",
     "TABLE_REFUSED"},
    {"{'op':40,'hex':'"
     "0703857461626c6586746865697273857461626c65846d696e6584726f77730601060322817800'}",
     ""},
    {"{'op':40,'hex':'"
     "0702857461626c65846d696e6584726f77730601060322817806010601060106010601060106010601060106010"
     "6010601060106010601060106010601060106010601060106010601060106010601060106010601060106010601"
     "0601060106010601060106010601060106010601060106010601060106010601060106010601060106010601060"
     "1060106010601060106010601060106010601060106010601060106010601060106010601060106010601060106"
     "0106010601060106010601060106010601060106010601060106010601060106010601060106010601060106010"
     "6010601060106010601060106010601060106010601060106010601060106010601060106010601060106010601"
     "0601060106010601060106010601060106010601060106010601060106010601060106010601060106010601060"
     "1060106010601060106010601060106010601060106010601060106010601060106010601060106010601060106"
     "0106010601060106010601060106010601060106010601060106010601060106010601060106010601060106010"
     "601060106010601060106010601060100'}",
     "WIRE"},
    {"{'op':40,'hex':'0702857461626c65846d696e6584726f7773060106032282fffe00'}", "COLUMN"},
    {"{'op':40,'hex':'0702857461626c65846d696e6584726f77730601060304000000000000f87f817800'}",
     "COLUMN"},
};

static void rows_are_looked_at(void **state) {
  (void)state;
  try_all(ROWS, sizeof ROWS / sizeof *ROWS);
}

static const attempt EFFECTS[] = {
    {"{'op':41,'args':{'verb':'update','table':'theirs','row':{'id':1,'v':'x'}}}", "TABLE_REFUSED"},
    {"{'op':41,'args':{'verb':'delete','table':'theirs'}}", "TABLE_REFUSED"},
    {"{'op':41,'args':{'verb':'delete','table':'theirs\\u0000mine'}}", "TABLE_REFUSED"},
    {"{'op':41,'args':{'verb':'delete','table':['theirs']}}", "TABLE"},
    {"{'op':41,'args':{'verb':'delete'}}", "TABLE"},
    {"{'op':41,'args':{'verb':'delete','table':'mine','where':5}}", "WHERE"},
    {"{'op':41,'args':{'verb':'delete','table':'mine','where':{'id':{'or':1}}}}", "WHERE"},
    {"{'op':41,'args':{'verb':'delete','table':'mine','where':{'1=1 --':1}}}", "WHERE"},
    {"{'op':41,'args':{'verb':'update','table':'mine','row':5}}", "COLUMN"},
    {"{'op':41,'args':{'verb':'update','table':'mine','row':[1,2]}}", "COLUMN"},
    {"{'op':41,'args':{'verb':'update','table':'mine'}}", "WIRE"},
    {"{'op':41,'args':{'verb':'update','table':'mine','row':{'v':'x'}}}", "COLUMN"},
    {"{'op':41,'args':{'verb':'validator','source':'s','url':'u','object':'../../x'}}", "WIRE"},
    {"{'op':41,'args':{'verb':'archive\\u0000','source':'s','object':'x','size':1}}", "WIRE"},
    {"{'op':41,'args':{'verb':'archive','source':'s'}}", "ARCHIVE"},
    {"{'op':41,'args':{'verb':'archive','source':'../../etc','body':'x','object':'../../../"
     "x','size':-5}}",
     ""},
    {"{'op':41,'args':{'verb':'archive','source':['s'],'body':'x'}}", ""},
    {"{'op':41,'args':{'verb':'archive','source':'s'},'fd':true}", ""},
    {"{'op':41,'args':{'verb':'drop'}}", "WIRE"},
    {"{'op':41,'args':{}}", "WIRE"},
    {"{'op':41,'args':[]}", "WIRE"},
    {"{'op':41,'args':'enqueue'}", "WIRE"},
    {"{'op':41,'args':{'verb':'reject'}}", ""},
    {"{'op':41,'args':{'verb':'reject','line':-9223372036854775808,'reason':['x'],'row':{'a':[{'"
     "b':1}]}}}",
     ""},
    {"{'op':41,'args':{'verb':'enqueue','pipeline':'none'}}", "PIPELINE"},
    {"{'op':41,'args':{'verb':'enqueue'}}", "PIPELINE"},
    {"{'op':41,'args':{'verb':'enqueue','pipeline':'good','params':{'x':1}}}", "PARAM"},
    {"{'op':41,'args':{'verb':'enqueue','pipeline':'good','params':5}}", "PARAM"},
    {"{'op':41,'args':{'verb':'enqueue','pipeline':'good','params':{'n':'; drop'}}}", "PARAM"},
    {"{'op':41,'args':{'verb':'enqueue','table':'mine','pipeline':'good','params':{'n':'x'}}}",
     "PARAM"},
    {"{'op':41,'args':{'verb':'enqueue','table':'mine','pipeline':'none'}}", "PIPELINE"},
    {"{'op':41,'args':{'verb':'enqueue','pipeline':'p0','delay_ms':9223372036854775807}}", ""},
    {"{'op':41,'hex':'09'}", "WIRE"},
    {"{'op':41,'hex':'"
     "0601060106010601060106010601060106010601060106010601060106010601060106010601060106010601060"
     "1060106010601060106010601060106010601060106010601060106010601060106010601060106010601060106"
     "0106010601060106010601060106010601060106010601060106010601060106010601060106010601060106010"
     "6010601060106010601060106010601060106010601060106010601060106010601060106010601060106010601"
     "0601060106010601060106010601060106010601060106010601060106010601060106010601060106010601060"
     "1060106010601060106010601060106010601060106010601060106010601060106010601060106010601060106"
     "0106010601060106010601060106010601060106010601060106010601060106010601060106010601060106010"
     "6010601060106010601060106010601060106010601060106010601060106010601060106010601060106010601"
     "0601060106010601060106010601060106010601060106010601060106010601060106010601060106010601060"
     "1060106010601060106010601060106010601060106010601060106010601060106010601060106010601060106"
     "0106010601060106010601060106010601060106010601060106010601060106010601060106010601060106010"
     "6010601060106010601060106010601060106010601060106010601060106010601060106010601060106010601"
     "0601060106010601060106010601060106010601060106010601060106010601060106010601060106010601060"
     "10601060106010601'}",
     "WIRE"},
    {"{'op':42,'args':{'level':'fatal','message':'x\\n\\u0000\\u001b[31m'}}", ""},
    {"{'op':42,'args':{'level':['x'],'message':5}}", ""},
    {"{'op':42,'args':'x'}", ""},
    {"{'op':43,'args':{'done':-9223372036854775808,'total':9223372036854775807,'run':1,'pipeline'"
     ":'good'}}",
     ""},
    {"{'op':43,'args':[1]}", ""},
};

static void effects_are_looked_at(void **state) {
  (void)state;
  try_all(EFFECTS, sizeof EFFECTS / sizeof *EFFECTS);
}

static const attempt QUESTIONS[] = {
    {"{'op':50,'call':9}", "WIRE"},
    {"{'op':51,'call':9}", "WIRE"},
    {"{'op':52,'call':9}", "WIRE"},
    {"{'op':53,'call':9}", "WIRE"},
    {"{'op':54,'call':9}", "WIRE"},
    {"{'op':55,'call':9}", "WIRE"},
    {"{'op':56,'call':9}", "WIRE"},
    {"{'op':57,'call':9}", "WIRE"},
    {"{'op':58,'call':9}", "WIRE"},
    {"{'op':59,'call':9}", "WIRE"},
    {"{'op':60,'call':9}", "WIRE"},
    {"{'op':61,'call':9}", "WIRE"},
    {"{'op':62,'call':9}", "WIRE"},
    {"{'op':63,'call':9}", "WIRE"},
    {"{'op':65,'call':9}", "WIRE"},
    {"{'op':53,'args':{'table':'mine','order':5},'call':7,'want':'WIRE'}", ""},
    {"{'op':53,'args':{'table':'mine','order':{'a':1}},'call':7,'want':'WIRE'}", ""},
    {"{'op':53,'args':{'table':'mine','order':1.5},'call':7,'want':'WIRE'}", ""},
    {"{'op':53,'args':{'table':'mine','order':true},'call':7,'want':'WIRE'}", ""},
    {"{'op':53,'args':{'table':'mine','order':[5,{}]},'call':7,'want':'COLUMN'}", ""},
    {"{'op':53,'args':{'table':'mine','order':'id; drop table mine'},'call':7,'want':'COLUMN'}",
     ""},
    {"{'op':53,'args':{'table':'mine','columns':'"
     "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz'},'call':7,'want':'WIRE'}",
     ""},
    {"{'op':53,'args':{'table':'mine','columns':5},'call':7,'want':'WIRE'}", ""},
    {"{'op':53,'args':{'table':'mine','columns':2.5},'call':7,'want':'WIRE'}", ""},
    {"{'op':53,'args':{'table':'mine','columns':{'a':1}},'call':7,'want':'WIRE'}", ""},
    {"{'op':53,'args':{'table':'mine','columns':[]},'call':7,'want':'SQL'}", ""},
    {"{'op':53,'args':{'table':'mine','page':5},'call':7,'want':''}", ""},
    {"{'op':53,'args':{'table':'mine','page':{'size':9223372036854775807,'after':"
     "9223372036854775807}},'call':7,'want':'WIRE'}",
     ""},
    {"{'op':53,'args':{'table':'mine','page':{'size':-9223372036854775808,'after':-"
     "9223372036854775808}},'call':7,'want':'WIRE'}",
     ""},
    {"{'op':53,'args':{'table':'mine','limit':9223372036854775806,'page':{'size':5,'after':-"
     "9223372036854775808}},'call':7,'want':'WIRE'}",
     ""},
    {"{'op':53,'args':{'table':'mine','limit':-9223372036854775808},'call':7,'want':''}", ""},
    {"{'op':53,'args':{'table':'mine','page':{'size':1,'after':9223372036854775807}},'call':7,'"
     "want':'WIRE'}",
     ""},
    {"{'op':53,'args':{'table':'theirs'},'call':7,'want':'TABLE_REFUSED'}", ""},
    {"{'op':53,'args':{'table':'dts_key'},'call':7,'want':'TABLE'}", ""},
    {"{'op':53,'args':{'sql':'select * from theirs'},'call':7,'want':'TABLE_REFUSED'}", ""},
    {"{'op':53,'args':{'sql':'select * from dts_meta'},'call':7,'want':'TABLE_REFUSED'}", ""},
    {"{'op':53,'args':{'sql':'delete from mine'},'call':7,'want':'SQL'}", ""},
    {"{'op':53,'args':{'sql':5},'call':7,'want':'TABLE'}", ""},
    {"{'op':53,'args':{'sql':'','params':5},'call':7,'want':'SQL'}", ""},
    {"{'op':53,'args':{'sql':'select :a','params':{'a':[1]}},'call':7,'want':'SQL'}", ""},
    {"{'op':53,'args':{'sql':'select ?1','params':[1,2]},'call':7,'want':'SQL'}", ""},
    {"{'op':53,'args':{'sql':'select 1) --','page':{'size':5}},'call':7,'want':''}", ""},
    {"{'op':53,'args':{'sql':'pragma journal_mode=delete'},'call':7,'want':'SQL'}", ""},
    {"{'op':53,'args':{'sql':'select "
     ":today_minus_99999999999999999999d'},'call':7,'want':'PARAM'}",
     ""},
    {"{'op':53,'args':{'table':'mine','where':'1=1'},'call':7,'want':'WHERE'}", ""},
    {"{'op':53,'args':{'table':'mine','where':[1]},'call':7,'want':'WHERE'}", ""},
    {"{'op':53,'args':{'table':'mine','where':{'id':[[1]]}},'call':7,'want':'COLUMN'}", ""},
    {"{'op':53,'args':{'table':'mine','where':{'id':{'from':{}}}},'call':7,'want':'COLUMN'}", ""},
    {"{'op':53,'args':{'table':'mine','where':{'j':[1]}},'call':7,'want':''}", ""},
    {"{'op':53,'args':{'table':'mine','where':{'id\\u0000':1}},'call':7,'want':''}", ""},
    {"{'op':54,'args':{'table':'mine','key':5},'call':7,'want':''}", ""},
    {"{'op':54,'args':{'table':'mine','key':[[1]]},'call':7,'want':''}", ""},
    {"{'op':54,'args':{'table':'mine','key':[]},'call':7,'want':''}", ""},
    {"{'op':54,'args':{'table':'mine','key':{'x':1}},'call':7,'want':'WHERE'}", ""},
    {"{'op':54,'args':{'table':'theirs','key':1},'call':7,'want':'TABLE_REFUSED'}", ""},
    {"{'op':54,'args':{'key':1},'call':7,'want':'TABLE'}", ""},
    {"{'op':54,'args':{'table':'mine'},'call':7,'want':''}", ""},
    {"{'op':54,'args':{'table':'mine','key':{'from':1}},'call':7,'want':'WHERE'}", ""},
    {"{'op':50,'args':{'name':'../../../etc/passwd'},'call':7,'want':'MODULE'}", ""},
    {"{'op':50,'args':{'name':'..\\\\..\\\\x'},'call':7,'want':'MODULE'}", ""},
    {"{'op':50,'args':{'name':'/etc/passwd'},'call':7,'want':'MODULE'}", ""},
    {"{'op':50,'args':{'name':''},'call':7,'want':'MODULE'}", ""},
    {"{'op':50,'args':{'name':'a\\u0000b'},'call':7,'want':'MODULE'}", ""},
    {"{'op':50,'args':{'name':5},'call':7,'want':'MODULE'}", ""},
    {"{'op':51,'args':{'path':'data/../../../../etc/passwd'},'call':7,'want':'FILE'}", ""},
    {"{'op':51,'args':{'path':'/etc/passwd'},'call':7,'want':'FILE'}", ""},
    {"{'op':51,'args':{'path':'secrets/x'},'call':7,'want':'FILE'}", ""},
    {"{'op':51,'args':{'path':'data/./../secrets/x'},'call':7,'want':'FILE'}", ""},
    {"{'op':51,'args':{'path':'var/dts.db'},'call':7,'want':'FILE'}", ""},
    {"{'op':51,'args':{'path':'data/\\u0000/../x'},'call':7,'want':'FILE'}", ""},
    {"{'op':51,'args':{'path':'data'},'call':7,'want':'FILE'}", ""},
    {"{'op':52,'args':{'url':'http://127.0.0.1:1/'},'call':7,'want':'HOST_REFUSED'}", ""},
    {"{'op':52,'args':{'url':'file:///etc/passwd'},'call':7,'want':'HTTP_REQUEST'}", ""},
    {"{'op':52,'args':{'source':'none','path':'/'},'call':7,'want':'SOURCE'}", ""},
    {"{'op':52,'args':{'source':5,'path':5,'url':5},'call':7,'want':'HTTP_REQUEST'}", ""},
    {"{'op':52,'args':{'url':'http://1.1.1.1/','method':'GET / HTTP/1.1\\r\\nX: "
     "y'},'call':7,'want':'HOST_REFUSED'}",
     ""},
    {"{'op':52,'args':{'url':'http://x/"
     "','headers':[1],'query':[1],'accept':5,'archive':5,'body':5,'idempotency':{'a':1}},'call':"
     "7,'want':'HOST_REFUSED'}",
     ""},
    {"{'op':52,'args':{'url':'http://x/','query':{'a':{'b':1}}},'call':7,'want':'HTTP_REQUEST'}",
     ""},
    {"{'op':52,'args':{'url':'http://x/"
     "','timeout_ms':-9223372036854775808,'largest':-9223372036854775808,'cache_ms':"
     "9223372036854775807},'call':7,'want':'HOST_REFUSED'}",
     ""},
    {"{'op':55,'args':{'name':'d','retry':5},'call':3,'want':''},{'op':57,'args':{'name':'d'},'"
     "call':4},{'op':30,'args':{'stays':true}}",
     ""},
    {"{'op':55,'args':{'name':'d'},'call':3},{'op':30,'args':{'stays':true}}", ""},
    {"{'op':56,'args':{'name':'none'},'call':7,'want':'STEP'}", ""},
    {"{'op':57,'args':{'name':'none'},'call':7,'want':''}", ""},
    {"{'op':55,'args':{},'call':7,'want':''}", ""},
    {"{'op':55,'args':{'name':['x']},'call':7,'want':''}", ""},
    {"{'op':58,'args':{'state':{'a':[1,{'b':2}]}},'call':7,'want':''}", ""},
    {"{'op':58,'args':{},'call':1},{'op':58,'args':{},'call':2},{'op':58,'args':{},'call':3,'"
     "want':''}",
     ""},
    {"{'op':58,'args':{},'call':1},{'op':30,'args':{}}", ""},
    {"{'op':59,'args':{'source':5,'from':5,'to':'zzz'},'call':7,'want':''}", ""},
    {"{'op':60,'args':{'id':-9223372036854775808},'call':7,'want':'ARCHIVE'}", ""},
    {"{'op':60,'args':{'id':'../x'},'call':7,'want':'ARCHIVE'}", ""},
    {"{'op':60,'args':{},'call':7,'want':'ARCHIVE'}", ""},
    {"{'op':61,'args':{'name':'z','ms':-9223372036854775808},'call':1,'want':''}", ""},
    {"{'op':61,'args':{'ms':'x'},'call':1,'want':''}", ""},
    {"{'op':65,'args':{'name':'../../../etc/passwd'},'call':7,'want':'ZONE'}", ""},
    {"{'op':65,'args':{'name':'/etc/localtime'},'call':7,'want':'ZONE'}", ""},
    {"{'op':65,'args':{'name':'Europe/../../../../etc/passwd'},'call':7,'want':'ZONE'}", ""},
    {"{'op':30,'args':{}},{'op':30,'args':{}},{'op':31,'args':{'code':'X'}}", ""},
};

static void questions_are_looked_at(void **state) {
  (void)state;
  try_all(QUESTIONS, sizeof QUESTIONS / sizeof *QUESTIONS);
}

static void descriptors_that_nobody_asked_for_are_closed(void **state) {
  (void)state;
  static const attempt list[] = {
      {"{'op':43,'args':{},'fd':true,'times':50}", ""},
      {"{'op':42,'args':{'message':'m'},'fd':true,'times':50}", ""},
      {"{'op':40,'args':{'table':'mine','rows':[]},'fd':true,'times':50}", ""},
      {"{'op':41,'args':{'verb':'reject'},'fd':true,'times':50}", ""},
      {"{'op':62,'args':{},'call':1,'fd':true,'want':''}", ""},
      {"{'op':99,'args':{},'fd':true}", "WIRE"},
  };
  try_all(list, sizeof list / sizeof *list);
}

/* An answer that finds nobody does not undo what was said before. */
static void last_words_are_heard(void **state) {
  (void)state;
  static const attempt list[] = {
      {"{'op':62,'args':{},'call':2,'times':3000}", ""},
      {"{'op':53,'args':{'table':'mine'},'call':2,'times':200}", ""},
      {"{'op':62,'args':{},'call':2,'times':3000},{'op':31,'args':{'code':'MINE'}}", "MINE"},
  };
  try_all(list, sizeof list / sizeof *list);
}

/* 16 KB are counted for each, beside what it says. */
static void questions_under_way_are_bounded(void **state) {
  (void)state;
  static const attempt list[] = {
      {"{'op':61,'args':{'name':'z','ms':1000},'call':5,'times':250},"
       "{'op':62,'args':{},'call':6,'want':''}",
       ""},
      {"{'op':61,'args':{'name':'z','ms':1000},'call':5,'times':260},"
       "{'op':62,'args':{},'call':6,'want':'LIMIT_SIZE'}",
       ""},
  };
  try_all(list, sizeof list / sizeof *list);
}

/* ---- routes ---- */

static bench_answer *ask(bench *b) {
  return bench_begin(b, "{\"name\":\"request\",\"route\":\"GET /api/r\",\"req\":{}}");
}

static void a_request_keeps_its_time_limit(void **state) {
  (void)state;
  static const char *const says[] = {
      "{'op':30,'args':{}}",          /* it is ready, once more */
      "{'op':1,'call':99,'args':{}}", /* the answer to a request that nobody made */
      "{'op':53,'call':1,'args':{'table':'mine','columns':2.5}}",
  };
  for (size_t i = 0; i < sizeof says / sizeof *says; i++) {
    bench *b = begin(NULL, 0, says[i]);
    int64_t start = clock_monotonic_ms();
    const bench_answer *a = bench_finish(ask(b));
    assert_true(a->error.status == 504 || a->error.status == 500);
    assert_true(clock_monotonic_ms() - start < 3000);
    bench_expect(b, "select count(*) from mine", "0\n");
    end(b);
  }
}

int main(int count, char **arguments) {
  (void)arguments;
  if (is_nursery(count)) return be_nursery();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_are_looked_at),
      cmocka_unit_test(effects_are_looked_at),
      cmocka_unit_test(questions_are_looked_at),
      cmocka_unit_test(descriptors_that_nobody_asked_for_are_closed),
      cmocka_unit_test(last_words_are_heard),
      cmocka_unit_test(questions_under_way_are_bounded),
      cmocka_unit_test(a_request_keeps_its_time_limit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
