// A pasted list of people to rows that the exchange takes. Pure.

export interface ImportRow {
  account: string;
  name: string;
  number: string;
  device: string;
  secret: string;
}

const FIELDS = ["account", "name", "number", "device", "secret"] as const;
type FieldName = (typeof FIELDS)[number];
/** What people write atop their columns. */
const HEADINGS: Record<string, FieldName> = {
  account: "account",
  user: "account",
  账号: "account",
  帐号: "account",
  name: "name",
  display: "name",
  姓名: "name",
  number: "number",
  extension: "number",
  分机: "number",
  分机号: "number",
  号码: "number",
  device: "device",
  phone: "device",
  话机: "device",
  座机: "device",
  secret: "secret",
  password: "secret",
  密码: "secret",
};

/** One row of text to cells (RFC 4180), by the separator that the text uses. */
export function cells(line: string, separator: string): string[] {
  const found: string[] = [];
  let cell = "";
  let quoted = false;
  for (let index = 0; index < line.length; index++) {
    const character = line[index] as string;
    if (quoted) {
      if (character === '"' && line[index + 1] === '"') {
        cell += '"';
        index++;
      } else if (character === '"') quoted = false;
      else cell += character;
    } else if (character === '"' && cell.trim() === "") {
      quoted = true;
      cell = "";
    } else if (character === separator) {
      found.push(cell.trim());
      cell = "";
    } else cell += character;
  }
  found.push(cell.trim());
  return found;
}

interface Sheet {
  separator: string;
  /** The line with the names of the columns, if there is one. */
  heading: string | null;
  head: (FieldName | undefined)[];
  /** One for each person. */
  lines: string[];
}

function read(text: string): Sheet | null {
  const lines = text
    .replace(/^\uFEFF/, "")
    .replaceAll("，", ",")
    .split(/\r\n|\n|\r/)
    .filter((line) => line.trim() !== "");
  const first = lines[0];
  if (first === undefined) return null;
  const separator = ["\t", ";", ","].find((one) => lines.some((line) => line.includes(one))) ?? ",";
  const head = cells(first, separator).map((cell) => HEADINGS[cell.toLowerCase()]);
  const headed = head.filter((name) => name !== undefined).length >= 2;
  return headed
    ? { separator, heading: first, head, lines: lines.slice(1) }
    : { separator, heading: null, head, lines };
}

/** The text with these rows alone, counted from 1, below its heading. */
export function onlyRows(text: string, wanted: ReadonlySet<number>): string {
  const sheet = read(text);
  if (sheet === null) return "";
  const kept = sheet.lines.filter((_, index) => wanted.has(index + 1));
  if (kept.length === 0) return "";
  return (sheet.heading === null ? kept : [sheet.heading, ...kept]).join("\n");
}

/** Rows of a CSV file, of cells copied from a sheet, or simply `Alice Li, 101`. */
export function parsePeople(text: string): ImportRow[] {
  const sheet = read(text);
  if (sheet === null) return [];
  const { separator, head } = sheet;
  const headed = sheet.heading !== null;
  const taken = new Set<string>();
  return sheet.lines.map((line) => {
    const parts = cells(line, separator);
    const row: ImportRow = { account: "", name: "", number: "", device: "", secret: "" };
    if (headed) {
      head.forEach((name, index) => {
        if (name !== undefined) row[name] = parts[index] ?? "";
      });
    } else if (parts.length >= 4) {
      FIELDS.forEach((name, index) => (row[name] = parts[index] ?? ""));
    } else {
      plain(row, parts);
    }
    if (row.account === "") row.account = accountFor(row, taken);
    taken.add(row.account);
    return row;
  });
}

/** Name and number in either order. */
function plain(row: ImportRow, parts: string[]): void {
  for (const part of parts) {
    if (/^\+?\d[\d -]*$/.test(part) && row.number === "") row.number = part.replace(/[ -]/g, "");
    else if (row.name === "") row.name = part;
  }
}

/** `Alice Li` becomes `alice.li`; what has no Latin letters takes its number. */
export function accountFor(row: Pick<ImportRow, "name" | "number">, taken: ReadonlySet<string>): string {
  const latin = row.name
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, ".")
    .replace(/^\.+|\.+$/g, "");
  const base = /[a-z]/.test(latin) ? latin : row.number !== "" ? `p${row.number.replace(/\D/g, "")}` : "person";
  let made = base;
  for (let count = 2; taken.has(made); count++) made = `${base}.${count}`;
  return made;
}
