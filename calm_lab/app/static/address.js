(spec, values) => {
  // The address of this page with a tab's fields in its query string. A text that is too long for one stays out.
  const query = new URLSearchParams([["tab", spec.tab]]);
  let cut = false;
  for (const { key, at, part } of spec.fields) {
    const value = part === null ? values[at] : values[at]?.[part];
    if (value === null || value === undefined) continue;
    const text = Array.isArray(value) ? value.map((one) => Number(one.toPrecision(6))).join(",") : String(value);
    if (text.length > spec.longest) cut = true;
    else query.set(key, text);
  }
  return { href: `${location.origin}${location.pathname}?${query}`, cut, at: Date.now() };
}
