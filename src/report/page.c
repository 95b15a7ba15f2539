#include "report/page.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/svg.h"
#include "report/text.h"

static const char style[] =
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--paper);color:var(--ink);"
    "font:15px/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,\"DejaVu Sans\",sans-serif}\n"
    "main{max-width:1080px;margin:0 auto;padding:28px 18px 48px}"
    "h1{font-size:26px;line-height:1.2;margin:0 0 6px}h2{font-size:17px;margin:0 0 4px}"
    "p{margin:0 0 10px}.soft,.note{color:var(--soft)}.note{font-size:13px}"
    ".soft{overflow-wrap:anywhere}\n"
    ".cards{display:grid;grid-template-columns:repeat(4,1fr);gap:12px;margin:20px 0}"
    ".card,.panel{background:var(--card);border:1px solid var(--rule);"
    "border-radius:10px}.card{padding:12px 14px}.card b{display:block;font-size:23px;"
    "line-height:1.25;white-space:nowrap;font-variant-numeric:tabular-nums}.card "
    "span{font-size:13px;"
    "color:var(--soft)}\n"
    ".panel{padding:16px 18px;margin:0 0 16px}"
    /* A shadow at an edge that hides something: the cover moves with the table, the
     * shadow does not. */
    ".scroll{overflow-x:auto;background:"
    "linear-gradient(90deg,var(--card) 40%,transparent) 0 0/36px 100%,"
    "linear-gradient(270deg,var(--card) 40%,transparent) 100% 0/36px 100%,"
    "linear-gradient(90deg,rgba(123,133,144,.6),transparent) 0 0/12px 100%,"
    "linear-gradient(270deg,rgba(123,133,144,.6),transparent) 100% 0/12px 100%;"
    "background-repeat:no-repeat;background-attachment:local,local,scroll,scroll}\n"
    "svg{display:block;width:100%;max-width:100%;height:auto}.narrow{display:none}"
    ".pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));"
    "gap:16px}\n"
    "table{border-collapse:collapse;width:100%;font-size:14px;"
    "font-variant-numeric:tabular-nums}th,td{padding:5px 10px;text-align:right;"
    "border-bottom:1px solid var(--rule);white-space:nowrap}"
    "th{font-weight:600;color:var(--soft)}"
    "th:first-child,td:first-child,.text{text-align:left}"
    "td.text{color:var(--soft);white-space:normal}tr:last-child td{border-bottom:0}\n"
    ".bar{position:relative;min-width:96px}.bar i{position:absolute;left:0;top:1px;bottom:1px;"
    "background:var(--c);opacity:.28;border-radius:3px}.bar "
    "span{position:relative;padding-right:6px}\n"
    ".stack{display:flex;height:34px;border-radius:6px;overflow:hidden;margin:12px 0;gap:1px}"
    ".stack i{background:var(--c);min-width:2px}"
    "@media(max-width:840px){td:first-child{white-space:normal}}"
    "@media(max-width:600px){main{padding:20px 10px 40px}.panel{padding:14px 12px}"
    "th,td{padding:5px 6px;font-size:13px}"
    ".cards{grid-template-columns:repeat(2,1fr);gap:8px}"
    ".bar{min-width:64px}.text,.wide{display:none}.narrow{display:block}}\n"
    ".keys{display:flex;flex-wrap:wrap;gap:4px 20px;list-style:none;margin:0;padding:0;"
    "font-size:14px}.keys i{display:inline-block;width:11px;height:11px;border-radius:3px;"
    "background:var(--c);margin-right:7px}.keys span{color:var(--soft)}\n";

void page_begin(base_writer *out, const char *title) {
    base_write_text(out,
                    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
                    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"/>\n"
                    "<title>");
    report_escape(out, title);
    base_write_text(out, "</title>\n<style>\n");
    svg_page_style(out);
    base_write_text(out, "%s</style>\n</head>\n<body>\n<main>\n", style);
}

void page_end(base_writer *out) {
    base_write_text(out, "</main>\n</body>\n</html>\n");
}

void page_panel_begin(base_writer *out, const char *heading, const char *note) {
    base_write_text(out, "<section class=\"panel\">\n<h2>");
    report_escape(out, heading);
    base_write_text(out, "</h2>\n");
    if (note == NULL)
        return;
    base_write_text(out, "<p class=\"note\">");
    report_escape(out, note);
    base_write_text(out, "</p>\n");
}

void page_panel_end(base_writer *out) {
    base_write_text(out, "</section>\n");
}

static bool known(double value) {
    return isfinite(value) && value >= 0 && value < 1e18;
}

const char *page_count(char text[PAGE_FIGURE_MAX], double value) {
    if (!known(value))
        return "\u2013";
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%.0f", value);
    size_t at = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = 0;
    return text;
}

const char *page_percent(char text[PAGE_FIGURE_MAX], double fraction) {
    if (!known(fraction))
        return "\u2013";
    snprintf(text, PAGE_FIGURE_MAX, "%.2f %%", 100 * fraction);
    return text;
}

const char *page_ratio(char text[PAGE_FIGURE_MAX], double ratio) {
    if (!known(ratio) || ratio == 0)
        return "\u2013";
    if (ratio < 100) {
        snprintf(text, PAGE_FIGURE_MAX, "%.1f\u00D7", ratio);
        return text;
    }
    page_count(text, ratio);
    memcpy(text + strlen(text), "\u00D7", sizeof "\u00D7");
    return text;
}

const char *page_bytes(char text[PAGE_FIGURE_MAX], double bytes) {
    if (!known(bytes))
        return "\u2013";
    page_count(text, bytes);
    memcpy(text + strlen(text), " B", sizeof " B");
    return text;
}

void page_cell(base_writer *out, const char *class, const char *text) {
    base_write_text(out, "<td class=\"%s\">", class);
    report_escape(out, text);
    base_write_text(out, "</td>");
}

void page_bar_cell(base_writer *out, double share, unsigned colour, const char *text) {
    double width = share >= 0 && share <= 1 ? 100 * share : 0;
    base_write_text(out, "<td><div class=\"bar s%u\"><i style=\"width:%.1f%%\"></i><span>",
                    colour % SVG_COLOURS, width);
    report_escape(out, text);
    base_write_text(out, "</span></div></td>");
}
