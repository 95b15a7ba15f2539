#include "report/svg.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/svg_axis.h"
#include "report/text.h"

/* A letter of the 12-pixel text is about this wide. */
#define LETTER 6.6
#define LEGEND_ROW 20.0
#define LEGEND_GAP 42.0 /* mark, spaces around it and before the next entry */
#define LEGEND_TOP 12.0 /* between the x axis's label and the legend */

/* Colours are attributes, which every reader of SVG takes; the light ones, which read
 * on paper. A style sheet comes in for the dark alone, where a browser wants it. */
#define FONT "system-ui, -apple-system, Segoe UI, Roboto, DejaVu Sans, sans-serif"

typedef struct svg_paint {
    const char *light, *dark;
} svg_paint;

static const svg_paint series[SVG_COLOURS] = {
    {"#0b6bcb", "#5eb0ff"}, {"#d9480f", "#ff9f5a"}, {"#087f5b", "#3fd6a4"}, {"#9c36b5", "#dd86f5"},
    {"#b08900", "#f2cc4b"}, {"#0c8599", "#4fd0e4"}, {"#c2255c", "#ff86b0"}, {"#6c757d", "#adb5bd"}};
static const svg_paint ink = {"#1c2128", "#e8ebee"};
static const svg_paint soft = {"#5c6670", "#9aa5b1"};
static const svg_paint rule = {"#d9dee3", "#3a424b"};
static const svg_paint paper = {"#f6f7f9", "#14181c"};
static const svg_paint card = {"#ffffff", "#1d2329"};

static const char *paint_of(svg_paint paint, bool dark) {
    return dark ? paint.dark : paint.light;
}

static const char *light_of(unsigned colour) {
    return series[colour % SVG_COLOURS].light;
}

static void write_dark(base_writer *out) {
    base_write_text(out, "@media(prefers-color-scheme:dark){");
    for (unsigned c = 0; c < SVG_COLOURS; c++)
        base_write_text(out, "svg .s%u{fill:%s}svg .line.s%u{fill:none;stroke:%s}\n", c,
                        series[c].dark, c, series[c].dark);
    base_write_text(out, "svg .card{fill:%s}svg .label{fill:%s}svg .tick,svg .head{fill:%s}\n",
                    card.dark, ink.dark, soft.dark);
    base_write_text(out, "svg .grid{stroke:%s}svg .frame{stroke:%s}svg .dot{stroke:%s}}\n",
                    rule.dark, soft.dark, card.dark);
}

static void write_variables(base_writer *out, bool dark) {
    base_write_text(out, ":root{--ink:%s;--soft:%s;--rule:%s;--paper:%s;--card:%s;",
                    paint_of(ink, dark), paint_of(soft, dark), paint_of(rule, dark),
                    paint_of(paper, dark), paint_of(card, dark));
    for (unsigned c = 0; c < SVG_COLOURS; c++)
        base_write_text(out, "--s%u:%s;", c, paint_of(series[c], dark));
    base_write_text(out, "}");
}

void svg_page_style(base_writer *out) {
    base_write_text(out, ":root{color-scheme:light dark}\n");
    write_variables(out, false);
    base_write_text(out, "\n@media(prefers-color-scheme:dark){");
    write_variables(out, true);
    base_write_text(out, "}\n");
    for (unsigned c = 0; c < SVG_COLOURS; c++)
        base_write_text(out, ".s%u{--c:var(--s%u)}", c, c);
    base_write_text(out, "\n");
    write_dark(out);
}

double svg_x(const svg_plot *plot, double value) {
    return plot->left + svg_axis_place(&plot->x, value) * (plot->right - plot->left);
}

double svg_y(const svg_plot *plot, double value) {
    return plot->bottom - svg_axis_place(&plot->y, value) * (plot->bottom - plot->top);
}

/* Width of text as it will be drawn, roughly: a character's bytes after the
 * first do not count. */
static double text_width(const char *text) {
    size_t letters = 0;
    for (const char *s = text; *s != 0; s++)
        letters += ((unsigned char)*s & 0xC0) != 0x80;
    return LETTER * (double)letters;
}

/* Width of a column of the legend: all are as wide as its longest entry. */
static double legend_column(const svg_plot *plot) {
    double widest = 0;
    for (size_t i = 0; i < plot->legend_count; i++)
        widest = fmax(widest, text_width(plot->legend[i].text));
    return widest + LEGEND_GAP;
}

static size_t legend_columns(const svg_plot *plot) {
    double fit = floor((plot->width - plot->left + LEGEND_GAP / 2) / legend_column(plot));
    return fit < 1 ? 1 : (size_t)fit;
}

static double legend_height(const svg_plot *plot) {
    if (plot->legend_count == 0)
        return 0;
    size_t columns = legend_columns(plot);
    return LEGEND_TOP + LEGEND_ROW * (double)((plot->legend_count + columns - 1) / columns);
}

/* class: label, else tick or head, which are softer. */
static void draw_text(base_writer *out, double x, double y, const char *anchor, const char *class,
                      const char *text) {
    bool label = strcmp(class, "label") == 0;
    base_write_text(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" class=\"%s\" fill=\"%s\">",
                    x, y, anchor, class, label ? ink.light : soft.light);
    report_escape(out, text);
    base_write_text(out, "</text>\n");
}

/* What a file of its own has that a page gives the others. */
static void draw_page(const svg_plot *plot, double height) {
    base_writer *out = plot->out;
    base_write_text(out, "<style>\n");
    write_dark(out);
    base_write_text(out,
                    "</style>\n<rect class=\"card\" width=\"%.0f\" height=\"%.0f\" fill=\"%s\"/>\n",
                    plot->width, height, card.light);
    base_write_text(out,
                    "<text x=\"16\" y=\"26\" class=\"label\" font-size=\"15\" font-weight=\"600\" "
                    "fill=\"%s\">",
                    ink.light);
    report_escape(out, plot->title);
    base_write_text(out, "</text>\n");
}

void svg_begin(svg_plot *plot) {
    base_writer *out = plot->out;
    double height = plot->height + legend_height(plot);
    base_write_text(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\"",
                    plot->width, height);
    if (plot->alone)
        base_write_text(out, " width=\"%.0f\" height=\"%.0f\"", plot->width, height);
    base_write_text(out, " role=\"img\" font-family=\"" FONT "\" font-size=\"12\">\n<title>");
    report_escape(out, plot->title);
    base_write_text(out, "</title>\n");
    if (plot->alone)
        draw_page(plot, height);
    base_write_text(out,
                    "<clipPath id=\"clip%u\"><rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                    "height=\"%.1f\"/></clipPath>\n",
                    plot->clip, plot->left, plot->top, plot->right - plot->left,
                    plot->bottom - plot->top);
    for (size_t i = 0; i < plot->y.tick_count; i++) {
        double y = svg_y(plot, plot->y.ticks[i]);
        base_write_text(out, "<path class=\"grid\" stroke=\"%s\" d=\"M%.1f %.1fH%.1f\"/>\n",
                        rule.light, plot->left, y, plot->right);
    }
}

static void tick_text(const svg_axis *axis, double value, char *text, size_t size) {
    char number[32];
    svg_number(number, sizeof number, axis->scale == SVG_ACCURACY ? 100 * value : value);
    snprintf(text, size, "%s%s", number, axis->suffix == NULL ? "" : axis->suffix);
}

/* Ticks that would run into the one before are left out. */
static void draw_ticks(svg_plot *plot) {
    char text[64];
    double last = -1e9;
    for (size_t i = 0; i < plot->x.tick_count; i++) {
        double x = svg_x(plot, plot->x.ticks[i]);
        tick_text(&plot->x, plot->x.ticks[i], text, sizeof text);
        double half = text_width(text) / 2;
        base_write_text(plot->out, "<path class=\"frame\" stroke=\"%s\" d=\"M%.1f %.1fv4\"/>\n",
                        soft.light, x, plot->bottom);
        if (x - half < last + 6)
            continue;
        draw_text(plot->out, x, plot->bottom + 18, "middle", "tick", text);
        last = x + half;
    }
    last = 1e9;
    for (size_t i = 0; i < plot->y.tick_count; i++) {
        double y = svg_y(plot, plot->y.ticks[i]);
        if (last - y < 14)
            continue;
        tick_text(&plot->y, plot->y.ticks[i], text, sizeof text);
        draw_text(plot->out, plot->left - 7, y + 4, "end", "tick", text);
        last = y;
    }
}

/* Begins a line's path, up to its d attribute. */
static void begin_line(base_writer *out, unsigned colour, bool dashed) {
    base_write_text(out,
                    " class=\"line%s s%u\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\" "
                    "stroke-linejoin=\"round\" stroke-linecap=\"round\"%s d=\"",
                    dashed ? " dash" : "", colour % SVG_COLOURS, light_of(colour),
                    dashed ? " stroke-dasharray=\"6 5\"" : "");
}

static void begin_dot(base_writer *out, unsigned colour, double x, double y) {
    base_write_text(out,
                    "<circle class=\"dot s%u\" fill=\"%s\" stroke=\"%s\" stroke-width=\"1.5\" "
                    "cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\"",
                    colour % SVG_COLOURS, light_of(colour), card.light, x, y);
}

static void draw_mark(base_writer *out, const svg_legend *entry, double x, double y) {
    if (entry->mark == SVG_MARK_DOT) {
        begin_dot(out, entry->colour, x + 10, y);
        base_write_text(out, "/>");
        return;
    }
    if (entry->mark == SVG_MARK_AREA) {
        base_write_text(out,
                        "<rect class=\"s%u\" fill=\"%s\" fill-opacity=\"0.75\" x=\"%.1f\" "
                        "y=\"%.1f\" width=\"16\" height=\"10\" rx=\"2\"/>",
                        entry->colour % SVG_COLOURS, light_of(entry->colour), x + 2, y - 5);
        return;
    }
    base_write_text(out, "<path");
    begin_line(out, entry->colour, entry->mark == SVG_MARK_DASH);
    base_write_text(out, "M%.1f %.1fh20\"/>", x, y);
}

static void draw_legend(svg_plot *plot) {
    for (size_t i = 0; i < plot->legend_count; i++) {
        size_t columns = legend_columns(plot);
        double x = plot->left + (double)(i % columns) * legend_column(plot);
        double y = plot->height + LEGEND_TOP + (double)(i / columns) * LEGEND_ROW;
        draw_mark(plot->out, &plot->legend[i], x, y);
        draw_text(plot->out, x + 26, y + 4, "start", "label", plot->legend[i].text);
    }
}

void svg_end(svg_plot *plot) {
    base_writer *out = plot->out;
    base_write_text(
        out, "<path class=\"frame\" fill=\"none\" stroke=\"%s\" d=\"M%.1f %.1fV%.1fH%.1f\"/>\n",
        soft.light, plot->left, plot->top, plot->bottom, plot->right);
    draw_ticks(plot);
    if (plot->x.label != NULL)
        draw_text(out, (plot->left + plot->right) / 2, plot->bottom + 38, "middle", "label",
                  plot->x.label);
    if (plot->y.label != NULL)
        draw_text(out, plot->alone ? 16 : 2, plot->top - 22, "start", "label", plot->y.label);
    draw_legend(plot);
    base_write_text(out, "</svg>\n");
}

/* Whether there is a point i to draw; there is none before the first or after the last. */
static bool is_point(const double *x, const double *y, size_t count, size_t i) {
    return i < count && isfinite(x[i]) && isfinite(y[i]);
}

/* Points that no line reaches. */
static void draw_lone_points(svg_plot *plot, const double *x, const double *y, size_t count,
                             unsigned colour) {
    for (size_t i = 0; i < count; i++)
        if (is_point(x, y, count, i) && !is_point(x, y, count, i - 1) &&
            !is_point(x, y, count, i + 1))
            base_write_text(plot->out,
                            "<circle class=\"s%u\" fill=\"%s\" cx=\"%.1f\" cy=\"%.1f\" "
                            "r=\"3.5\"/>\n",
                            colour % SVG_COLOURS, light_of(colour), svg_x(plot, x[i]),
                            svg_y(plot, y[i]));
}

void svg_line(svg_plot *plot, const double *x, const double *y, size_t count, unsigned colour,
              bool dashed) {
    base_write_text(plot->out, "<path clip-path=\"url(#clip%u)\"", plot->clip);
    begin_line(plot->out, colour, dashed);
    for (size_t i = 0; i < count; i++)
        if (is_point(x, y, count, i))
            base_write_text(plot->out, "%s%.1f %.1f", is_point(x, y, count, i - 1) ? "L" : "M",
                            svg_x(plot, x[i]), svg_y(plot, y[i]));
    base_write_text(plot->out, "\"/>\n");
    draw_lone_points(plot, x, y, count, colour);
}

void svg_band(svg_plot *plot, const double *x, const double *low, const double *high, size_t count,
              unsigned colour) {
    base_write_text(plot->out,
                    "<path clip-path=\"url(#clip%u)\" class=\"band s%u\" fill=\"%s\" "
                    "fill-opacity=\"0.16\" d=\"",
                    plot->clip, colour % SVG_COLOURS, light_of(colour));
    for (size_t i = 0; i < count; i++)
        base_write_text(plot->out, "%s%.1f %.1f", i == 0 ? "M" : "L", svg_x(plot, x[i]),
                        svg_y(plot, high[i]));
    for (size_t i = count; i-- > 0;)
        base_write_text(plot->out, "L%.1f %.1f", svg_x(plot, x[i]), svg_y(plot, low[i]));
    base_write_text(plot->out, "%s\"/>\n", count > 0 ? "Z" : "");
}

void svg_stripe(svg_plot *plot, double from, double to, unsigned colour) {
    double left = svg_x(plot, from);
    double width = svg_x(plot, to) - left;
    /* A hair's breadth between neighbours of one colour. */
    left += 0.5;
    width = width > 1.5 ? width - 1 : 0.5;
    base_write_text(plot->out,
                    "<g class=\"s%u\" fill=\"%s\"><rect fill-opacity=\"0.09\" x=\"%.1f\" "
                    "y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/><rect fill-opacity=\"0.75\" "
                    "x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"3\"/></g>\n",
                    colour % SVG_COLOURS, light_of(colour), left, plot->top, width,
                    plot->bottom - plot->top, left, plot->top - 3, width);
}

void svg_head(svg_plot *plot, double from, double to, const char *text) {
    double left = svg_x(plot, from);
    double width = svg_x(plot, to) - left;
    if (text_width(text) + 2 < width)
        draw_text(plot->out, left + width / 2, plot->top - 8, "middle", "head", text);
}

static void draw_tip(base_writer *out, const char *tip) {
    base_write_text(out, "<title>");
    report_escape(out, tip);
    base_write_text(out, "</title>");
}

void svg_dot(svg_plot *plot, double x, double y, unsigned colour, const char *tip) {
    if (!isfinite(x) || !isfinite(y))
        return;
    begin_dot(plot->out, colour, svg_x(plot, x), svg_y(plot, y));
    base_write_text(plot->out, ">");
    if (tip != NULL)
        draw_tip(plot->out, tip);
    base_write_text(plot->out, "</circle>\n");
}

void svg_box(svg_plot *plot, double x, double half, const double *figures, unsigned colour,
             const char *tip) {
    base_writer *out = plot->out;
    const double left = svg_x(plot, x - half);
    const double right = svg_x(plot, x + half);
    const double middle = svg_x(plot, x);
    double y[5];
    for (size_t i = 0; i < 5; i++)
        y[i] = svg_y(plot, figures[i]);
    base_write_text(out, "<g class=\"s%u\" fill=\"%s\">", colour % SVG_COLOURS, light_of(colour));
    draw_tip(out, tip);
    base_write_text(out,
                    "<rect fill-opacity=\"0.3\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                    "height=\"%.1f\"/></g>\n",
                    left, y[3], right - left, fmax(1, y[1] - y[3]));
    base_write_text(out, "<path");
    begin_line(out, colour, false);
    base_write_text(out, "M%.1f %.1fH%.1fM%.1f %.1fV%.1fM%.1f %.1fV%.1f\"/>\n", left, y[2], right,
                    middle, y[0], y[1], middle, y[3], y[4]);
}
