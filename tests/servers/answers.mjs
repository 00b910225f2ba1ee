// What each real service would answer, as a pure function of path, query and settings: the one table is at the end.
// Status codes, headers and shapes are the services' own; the figures come from data.mjs.
// SPDX-License-Identifier: MIT
const DAY = 86400;
const json = (body, status = 200) => ({ status, type: "application/json; charset=utf-8", body: JSON.stringify(body) });
const csv = (body, status = 200) => ({ status, type: "text/csv", body });
const text = (body, status = 200) => ({ status, type: "text/plain; charset=utf-8", body });
const within = (date, from, to) => date >= from && date <= to;
const isDate = (s) => /^\d{4}-\d{2}-\d{2}$/.test(s) && !Number.isNaN(Date.parse(s)) && iso(Date.parse(s)) === s;
const iso = (ms) => new Date(ms).toISOString().slice(0, 10);
const reorder = (s, pattern, order) => { const m = pattern.exec(s ?? ""); return m ? order(m) : ""; };

// api.bcb.gov.br: dates day first, both needed, ten years at most, 404 for a range without a value.
function sgs({ match, query, data, never }) {
  const dayFirst = (s) => reorder(s, /^(\d{2})\/(\d{2})\/(\d{4})$/, ([, d, m, y]) => `${y}-${m}-${d}`);
  const from = dayFirst(query.get("dataInicial"));
  const to = dayFirst(query.get("dataFinal"));
  const series = data.series(Number(match[1]));
  if (!series) return json({ error: "Series not found" }, 404);
  if (query.get("formato") !== "json" || !isDate(from) || !isDate(to) || from > to) {
    return json({ error: "Requisição inválida: informe formato=json, dataInicial e dataFinal (dd/MM/aaaa)" }, 400);
  }
  if (Date.parse(to) - Date.parse(from) > 3653 * DAY * 1000) {
    return json({ error: "O sistema aceita uma janela de consulta de, no máximo, 10 anos em séries diárias" }, 406);
  }
  const points = series.filter((p) => within(p.date, from, to) && !never(p.date));
  if (!points.length) return json({ error: "Value(s) not found" }, 404);
  return json(points.map((p) => ({ data: p.date.split("-").reverse().join("/"), valor: p.value })));
}

// olinda.bcb.gov.br: dates month first in quotation marks; an empty list for a range without a rate. The files know
// the dollar's selling rate only, and no time of day.
function ptax({ match, query, data, never }) {
  const monthFirst = (s) => reorder(s, /^'(\d{2})-(\d{2})-(\d{4})'$/, ([, m, d, y]) => `${y}-${m}-${d}`);
  const from = monthFirst(query.get("@dataInicial"));
  const to = monthFirst(query.get("@dataFinalCotacao"));
  if (!isDate(from) || !isDate(to)) return text("/*{\"codigo\" : 500, \"mensagem\" : \"Erro desconhecido\"}*/", 500);
  const known = match[1] === "Dolar" || query.get("@moeda") === "'USD'";
  const days = known ? data.series(1).filter((p) => within(p.date, from, to) && !never(p.date)) : [];
  return json({
    "@odata.context": `https://was-p.bcnet.bcb.gov.br/olinda/servico/PTAX/versao/v1/odata$metadata#_Cotacao${match[1]}Periodo`,
    value: days.map((p) => ({ cotacaoVenda: Number(p.value), dataHoraCotacao: `${p.date} 00:00:00.000` })),
  });
}

function cubes(days) {
  const cube = (d) => `<Cube time="${d.date}">${d.rates.map(([c, r]) => `<Cube currency="${c}" rate="${r}"/>`).join("")}</Cube>`;
  return '<?xml version="1.0" encoding="UTF-8"?><gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" '
    + 'xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref"><gesmes:subject>Reference rates</gesmes:subject>'
    + "<gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender><Cube>"
    + `${days.map(cube).join("")}</Cube></gesmes:Envelope>`;
}

// www.ecb.europa.eu: whole files, newest day first. "Today" is the newest day that the data have, unless settings say.
function ecb({ match, data, never, settings }) {
  const days = data.euro().filter((d) => !never(d.date) && (!settings.today || d.date <= settings.today));
  const since = iso(Date.parse(days[0].date) - 90 * DAY * 1000);
  const chosen = { "": days, "-90d": days.filter((d) => d.date > since) }[match[2] ?? ""] ?? [];
  const wanted = match[1] === "daily" ? days.slice(0, 1) : chosen;
  return { status: 200, type: "text/xml", body: cubes(wanted) };
}

const ecbRecorded = ({ data }) => ({ status: 200, type: "text/xml", body: data.bytes("currency/eurofxref-hist-90d.xml") });

function shareDays({ match, query, data, never, settings }) {
  const all = data.share(decodeURIComponent(match[1]), settings.vintage);
  const from = Number(query.get("period1"));
  const to = Number(query.get("period2"));
  const day = (second) => iso(second * 1000);
  const fault = !all ? "No data found, symbol may be delisted" : !(from < to) ? "Invalid input - start date cannot be after end date" : undefined;
  const days = fault ? [] : all.filter((d) => within(d.Date, day(from), day(to - 1)) && !never(d.Date));
  return { all, from, to, fault, days };
}

const LISTED = ["SHEL", "BP"]; // shares that the service has, and the data do not

const yahooFault = (code, description, status) => json({ chart: { result: null, error: { code, description } } }, status);

// query1.finance.yahoo.com: seconds since 1970, the end not included; a time stamp is the opening bell's.
function yahooChart(request) {
  const { all, from, to, fault, days } = shareDays(request);
  const nothing = `Data doesn't exist for startDate = ${from}, endDate = ${to}`;
  if (!all && LISTED.includes(request.match[1])) return yahooFault("Bad Request", nothing, 400);
  if (!all) return yahooFault("Not Found", fault, 404);
  if (fault) return yahooFault("Bad Request", fault, 400);
  const lastSecond = Date.parse(all.at(-1).Date) / 1000;
  if (to <= Date.parse(all[0].Date) / 1000 || from > lastSecond) {
    return yahooFault("Bad Request", nothing, 400);
  }
  const saoPaulo = request.match[1].endsWith(".SA");
  const gmtoffset = saoPaulo ? -10800 : -18000;
  const bell = saoPaulo ? 13 * 3600 : 14.5 * 3600;
  const column = (name) => days.map((d) => Number(d[name]));
  const quote = { open: column("Open"), high: column("High"), low: column("Low"), close: column("Close"), volume: column("Volume") };
  const result = { meta: { symbol: request.match[1], gmtoffset, dataGranularity: "1d" }, indicators: { quote: [days.length ? quote : {}] } };
  if (days.length) result.timestamp = days.map((d) => Date.parse(d.Date) / 1000 + bell);
  if (days.length) result.indicators.adjclose = [{ adjclose: column("Adj Close") }];
  return json({ chart: { result: [result], error: null } });
}

function yahooExport(request) {
  const { fault, days } = shareDays(request);
  if (fault) return text(`404 Not Found: ${fault}`, 404);
  const names = ["Date", "Open", "High", "Low", "Close", "Adj Close", "Volume"];
  return csv([names, ...days.map((d) => names.map((name) => d[name]))].map((line) => line.join(",")).join("\n"));
}

// stooq.com: compact dates, both included; "No data" and status 200 for a range or a symbol without a price.
function stooq({ query, data, never }) {
  const compact = (s) => reorder(s, /^(\d{4})(\d{2})(\d{2})$/, ([, y, m, d]) => `${y}-${m}-${d}`);
  if (query.get("s") !== "xom.us") return text("No data");
  const from = query.has("d1") ? compact(query.get("d1")) : "0000-00-00";
  const to = query.has("d2") ? compact(query.get("d2")) : "9999-99-99";
  const [names, ...days] = data.lines("stocks/stooq/xom_us_d.csv");
  const chosen = days.filter(([date]) => within(date, from, to) && !never(date));
  return chosen.length ? csv([names, ...chosen].map((line) => line.join(",")).join("\r\n") + "\r\n") : text("No data");
}

// www.gov.br/anp: whole files, byte for byte. The data have one month of 2023; gasoline and ethanol are not among them.
function anp({ match, data }) {
  const files = {
    "qus/ultimas-4-semanas-glp.csv": "anp-ultimas-4-semanas-glp.csv",
    "dsas/glp/glp-2023-02.csv": "anp-ultimas-4-semanas-glp.csv",
    "qus/ultimas-4-semanas-diesel-gnv.csv": "anp-diesel-gnv-N-NE-CO.csv",
    "dsas/ca/ca-2023-02.csv": "anp-diesel-gnv-N-NE-CO.csv",
    "dsas/glp/glp-2004-01.csv": "derived-latin1-anp-glp.csv",
  };
  const file = files[match[1]];
  return file ? csv(data.bytes(`fuel/${file}`)) : text("Not Found", 404);
}

const TYPES = { csv: "text/csv", json: "application/json", tsv: "text/tab-separated-values" };
const MULTI = /^(?:\/vega-datasets\/data)?\/([a-z0-9-]+\.(csv|json|tsv))$/;

function vega({ match, data }) {
  try {
    return { status: 200, type: `${TYPES[match[2]]}; charset=utf-8`, body: data.bytes(`multi/${match[1]}`) };
  } catch (error) {
    if (error.code === "ENOENT") return text("Not Found", 404);
    throw error;
  }
}

export const answers = [
  { source: "bcb", path: /^\/dados\/serie\/bcdata\.sgs\.(\d+)\/dados$/, answer: sgs },
  { source: "ptax", path: /^\/olinda\/servico\/PTAX\/versao\/v1\/odata\/Cotacao(Dolar|Moeda)Periodo\([^)]*\)$/, answer: ptax },
  { source: "ecb", path: /^\/stats\/eurofxref\/eurofxref-(daily|hist)(-90d)?\.xml$/, answer: ecb },
  { source: "ecb", path: /^\/stats\/eurofxref\/recorded-2017\.xml$/, answer: ecbRecorded },
  { source: "yahoo", path: /^\/v8\/finance\/chart\/([^/]+)$/, answer: yahooChart },
  { source: "yahoo", path: /^\/v7\/finance\/download\/([^/]+)$/, answer: yahooExport },
  { source: "stooq", path: /^\/q\/d\/l\/$/, answer: stooq },
  { source: "anp", path: /^\/anp\/pt-br\/centrais-de-conteudo\/dados-abertos\/arquivos\/shpc\/(.+)$/, answer: anp },
  { source: "vega", path: MULTI, answer: vega },
];
