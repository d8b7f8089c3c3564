"""The page people watch payments on. It asks this host only, and writes texts, never markup."""

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Payments - Tollbridge PSP</title>
<style>
:root { color-scheme: light dark; --ink: #16202c; --paper: #f5f7fa; --line: #d5dce5;
  --card: #fff; --mark: #0b6e4f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8edf3; --paper: #10161d; --line: #2b3644;
  --card: #18212b; --mark: #54c79b; } }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--ink);
  background: var(--paper); }
main { max-width: 62rem; margin: 0 auto; padding: 2rem 1rem; }
h1 { margin: 0; font-size: 1.5rem; }
p { margin: .25rem 0 1.5rem; }
.table { overflow-x: auto; background: var(--card); border: 1px solid var(--line);
  border-radius: .75rem; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .6rem 1rem; text-align: left; border-bottom: 1px solid var(--line); }
tbody tr:last-child td { border-bottom: 0; }
th { font-weight: 600; }
.amount { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.amount { color: var(--mark); font-weight: 600; }
time, .card { white-space: nowrap; font-variant-numeric: tabular-nums; }
</style>
</head>
<body>
<main>
<h1>Payments</h1>
<p id="state" role="status" aria-live="polite">Loading</p>
<div class="table" tabindex="0" role="region" aria-label="The newest payments">
<table>
<thead><tr><th scope="col">Time</th><th scope="col">Service</th><th scope="col">Units</th>
<th scope="col">Price</th><th scope="col">Card</th>
<th scope="col" class="amount">Amount</th></tr></thead>
<tbody id="rows"></tbody>
</table>
</div>
</main>
<script>
"use strict";
const rows = document.getElementById("rows");
const state = document.getElementById("state");
const signs = { GBP: "\\u00a3", USD: "$" };
let shown = "";

function money(minor, code) {
  const digits = new Intl.NumberFormat("en", { style: "currency", currency: code })
    .resolvedOptions().maximumFractionDigits;
  const text = (minor / 10 ** digits).toFixed(digits);
  return signs[code] ? signs[code] + text : text + " " + code;
}

function cell(row, text, kind) {
  const made = row.insertCell();
  made.textContent = text;
  if (kind) made.className = kind;
}

function show(records) {
  rows.replaceChildren();
  for (const record of records) {
    const parts = /^(.*) - (.*) @ (.*)\\.$/.exec(record.orderDescription);
    const row = rows.insertRow();
    const time = document.createElement("time");
    time.dateTime = record.transactionDateAndTime;
    time.textContent = new Date(record.transactionDateAndTime).toLocaleString();
    row.insertCell().append(time);
    cell(row, parts ? parts[1] : record.orderDescription);
    cell(row, parts ? parts[2] : "");
    cell(row, parts ? parts[3] : "");
    cell(row, "xxx \\u2026 " + record.maskedCard.slice(-4), "card");
    cell(row, money(record.amount, record.currencyCode), "amount");
  }
  state.textContent = records.length ? "The newest first" : "No payments yet";
}

async function poll() {
  try {
    const answer = await fetch("/v1/transactions", { cache: "no-store" });
    const text = await answer.text();
    if (!answer.ok) throw new Error(String(answer.status));
    if (text !== shown) show(JSON.parse(text));
    shown = text;
  } catch {
    shown = "";
    state.textContent = "The host does not answer; trying again";
  }
  setTimeout(poll, 1500);
}

poll();
</script>
</body>
</html>
"""
