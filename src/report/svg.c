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

void svg_style(base_writer *out) {
    static const char *const light[SVG_COLOURS] = {"#0b6bcb", "#d9480f", "#087f5b", "#9c36b5",
                                                   "#b08900", "#0c8599", "#c2255c", "#6c757d"};
    static const char *const dark[SVG_COLOURS] = {"#5eb0ff", "#ff9f5a", "#3fd6a4", "#dd86f5",
                                                  "#f2cc4b", "#4fd0e4", "#ff86b0", "#adb5bd"};
    static const char frame[] = "--ink:%s;--soft:%s;--rule:%s;--paper:%s;--card:%s;";
    base_write_text(out, ":root{color-scheme:light dark;");
    base_write_text(out, frame, "#1c2128", "#5c6670", "#d9dee3", "#f6f7f9", "#ffffff");
    for (unsigned c = 0; c < SVG_COLOURS; c++)
        base_write_text(out, "--s%u:%s;", c, light[c]);
    base_write_text(out, "}\n@media(prefers-color-scheme:dark){:root{");
    base_write_text(out, frame, "#e8ebee", "#9aa5b1", "#3a424b", "#14181c", "#1d2329");
    for (unsigned c = 0; c < SVG_COLOURS; c++)
        base_write_text(out, "--s%u:%s;", c, dark[c]);
    base_write_text(out, "}}\n");
    for (unsigned c = 0; c < SVG_COLOURS; c++)
        base_write_text(out, ".s%u{--c:var(--s%u)}", c, c);
    base_write_text(
        out,
        "\nsvg text{font:12px system-ui,-apple-system,\"Segoe UI\",Roboto,\"DejaVu Sans\","
        "sans-serif;fill:var(--soft)}\n"
        "svg .label{fill:var(--ink)}svg .heading{font-size:15px;font-weight:600}svg "
        ".stripe-text{font-size:11px}\n"
        "svg .grid{stroke:var(--rule);stroke-width:1}svg .frame{stroke:var(--soft);"
        "stroke-width:1;fill:none}\n"
        "svg .line{fill:none;stroke:var(--c);stroke-width:2;stroke-linejoin:round;"
        "stroke-linecap:round}svg .dash{stroke-dasharray:6 5}\n"
        "svg .band{fill:var(--c);fill-opacity:.16;stroke:none}"
        "svg .stripe{fill:var(--c);fill-opacity:.09}"
        "svg .stripe-head{fill:var(--c);fill-opacity:.75}\n"
        "svg .dot{fill:var(--c);stroke:var(--card);stroke-width:1.5}"
        "svg .area{fill:var(--c)}\n");
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

static void draw_text(base_writer *out, double x, double y, const char *anchor, const char *class,
                      const char *text) {
    base_write_text(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" class=\"%s\">", x, y,
                    anchor, class);
    report_escape(out, text);
    base_write_text(out, "</text>\n");
}

void svg_begin(svg_plot *plot) {
    base_writer *out = plot->out;
    double height = plot->height + legend_height(plot);
    base_write_text(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\"",
                    plot->width, height);
    if (plot->alone)
        base_write_text(out, " width=\"%.0f\" height=\"%.0f\"", plot->width, height);
    base_write_text(out, " role=\"img\">\n<title>");
    report_escape(out, plot->title);
    base_write_text(out, "</title>\n");
    if (plot->alone) {
        base_write_text(out, "<style>\n");
        svg_style(out);
        base_write_text(out,
                        "</style>\n<rect width=\"%.0f\" height=\"%.0f\" "
                        "style=\"fill:var(--card)\"/>\n",
                        plot->width, height);
        base_write_text(out, "<text x=\"16\" y=\"26\" class=\"label heading\">");
        report_escape(out, plot->title);
        base_write_text(out, "</text>\n");
    }
    base_write_text(out,
                    "<clipPath id=\"clip%u\"><rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                    "height=\"%.1f\"/></clipPath>\n",
                    plot->clip, plot->left, plot->top, plot->right - plot->left,
                    plot->bottom - plot->top);
    for (size_t i = 0; i < plot->y.tick_count; i++) {
        double y = svg_y(plot, plot->y.ticks[i]);
        base_write_text(out, "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/>\n", plot->left, y,
                        plot->right);
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
        base_write_text(plot->out, "<path class=\"frame\" d=\"M%.1f %.1fv4\"/>\n", x, plot->bottom);
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

static void draw_legend(svg_plot *plot) {
    for (size_t i = 0; i < plot->legend_count; i++) {
        const svg_legend *entry = &plot->legend[i];
        size_t columns = legend_columns(plot);
        double x = plot->left + (double)(i % columns) * legend_column(plot);
        double y = plot->height + LEGEND_TOP + (double)(i / columns) * LEGEND_ROW;
        base_write_text(plot->out, "<g class=\"s%u\">", entry->colour % SVG_COLOURS);
        if (entry->mark == SVG_MARK_DOT)
            base_write_text(plot->out, "<circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\"/>",
                            x + 10, y);
        else if (entry->mark == SVG_MARK_AREA)
            base_write_text(plot->out,
                            "<rect class=\"stripe-head\" x=\"%.1f\" y=\"%.1f\" width=\"16\" "
                            "height=\"10\" rx=\"2\"/>",
                            x + 2, y - 5);
        else
            base_write_text(plot->out, "<path class=\"line%s\" d=\"M%.1f %.1fh20\"/>",
                            entry->mark == SVG_MARK_DASH ? " dash" : "", x, y);
        base_write_text(plot->out, "</g>");
        draw_text(plot->out, x + 26, y + 4, "start", "label", entry->text);
    }
}

void svg_end(svg_plot *plot) {
    base_writer *out = plot->out;
    base_write_text(out, "<path class=\"frame\" d=\"M%.1f %.1fV%.1fH%.1f\"/>\n", plot->left,
                    plot->top, plot->bottom, plot->right);
    draw_ticks(plot);
    if (plot->x.label != NULL)
        draw_text(out, (plot->left + plot->right) / 2, plot->bottom + 38, "middle", "label",
                  plot->x.label);
    if (plot->y.label != NULL)
        draw_text(out, plot->alone ? 16 : 2, plot->top - 22, "start", "label", plot->y.label);
    draw_legend(plot);
    base_write_text(out, "</svg>\n");
}

void svg_line(svg_plot *plot, const double *x, const double *y, size_t count, unsigned colour,
              bool dashed) {
    base_write_text(plot->out, "<path clip-path=\"url(#clip%u)\" class=\"line%s s%u\" d=\"",
                    plot->clip, dashed ? " dash" : "", colour % SVG_COLOURS);
    bool begun = false;
    for (size_t i = 0; i < count; i++) {
        bool drawn = isfinite(x[i]) && isfinite(y[i]);
        /* A point alone is a dot: a line of no length with round ends. */
        if (drawn)
            base_write_text(plot->out, begun ? "L%.1f %.1f" : "M%.1f %.1fh0", svg_x(plot, x[i]),
                            svg_y(plot, y[i]));
        begun = drawn;
    }
    base_write_text(plot->out, "\"/>\n");
}

void svg_band(svg_plot *plot, const double *x, const double *low, const double *high, size_t count,
              unsigned colour) {
    base_write_text(plot->out, "<path clip-path=\"url(#clip%u)\" class=\"band s%u\" d=\"",
                    plot->clip, colour % SVG_COLOURS);
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
                    "<g class=\"s%u\"><rect class=\"stripe\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                    "height=\"%.1f\"/><rect class=\"stripe-head\" x=\"%.1f\" y=\"%.1f\" "
                    "width=\"%.1f\" height=\"3\"/></g>\n",
                    colour % SVG_COLOURS, left, plot->top, width, plot->bottom - plot->top, left,
                    plot->top - 3, width);
}

void svg_head(svg_plot *plot, double from, double to, const char *text) {
    double left = svg_x(plot, from);
    double width = svg_x(plot, to) - left;
    if (text_width(text) + 2 < width)
        draw_text(plot->out, left + width / 2, plot->top - 8, "middle", "stripe-text", text);
}

void svg_dot(svg_plot *plot, double x, double y, unsigned colour, const char *tip) {
    if (!isfinite(x) || !isfinite(y))
        return;
    base_write_text(plot->out, "<circle class=\"dot s%u\" cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\">",
                    colour % SVG_COLOURS, svg_x(plot, x), svg_y(plot, y));
    if (tip != NULL) {
        base_write_text(plot->out, "<title>");
        report_escape(plot->out, tip);
        base_write_text(plot->out, "</title>");
    }
    base_write_text(plot->out, "</circle>\n");
}
