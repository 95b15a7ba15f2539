/* {"model": name, "threads": n, "shapes": [{"layer": the first's name, "layers": how many have the
 * shape, "shape": text, "break_even": share pruned, null where dense is faster at all shares,
 * "points": [{"kept": share, "sparse_us", "dense_us": least, "sparse_median_us",
 * "dense_median_us"}]}]} */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "hardware/break_even.h"

static void write_named(base_writer *out, const char *name, double value) {
    base_write_text(out, ", \"%s\": ", name);
    base_write_json_number(out, value);
}

static void write_point(base_writer *out, double kept, const single_times *t) {
    base_write_text(out, "{\"kept\": ");
    base_write_json_number(out, kept);
    write_named(out, "sparse_us", 1e6 * t->least[SINGLE_SPARSE]);
    write_named(out, "dense_us", 1e6 * t->least[SINGLE_DENSE]);
    write_named(out, "sparse_median_us", 1e6 * t->median[SINGLE_SPARSE]);
    write_named(out, "dense_median_us", 1e6 * t->median[SINGLE_DENSE]);
    base_write_text(out, "}");
}

static void write_shape(base_writer *out, const break_even_shape *s) {
    base_write_text(out, "{\"layer\": ");
    base_write_json_string(out, s->name);
    base_write_text(out, ", \"layers\": %u, \"shape\": ", s->layers);
    base_write_json_string(out, s->what);
    base_write_text(out, ", \"break_even\": ");
    if (s->equal > 0.0)
        base_write_json_number(out, 1.0 - s->equal);
    else
        base_write_text(out, "null");
    base_write_text(out, ", \"points\": [");
    for (size_t i = 0; i < BREAK_EVEN_SHARES; i++) {
        base_write_text(out, i == 0 ? "\n      " : ",\n      ");
        write_point(out, s->kept[i], &s->times[i]);
    }
    base_write_text(out, "]}");
}

void break_even_write_json(const break_even *b, base_writer *out) {
    base_write_text(out, "{\"model\": ");
    base_write_json_string(out, b->model);
    base_write_text(out, ", \"threads\": %u, \"shapes\": [", b->threads);
    for (size_t i = 0; i < b->count; i++) {
        base_write_text(out, i == 0 ? "\n    " : ",\n    ");
        write_shape(out, &b->shapes[i]);
    }
    base_write_text(out, "]}\n");
}

/* Of the columns of texts: none of them moves the others out of their columns. */
typedef struct widths {
    int name, what;
} widths;

static widths find_widths(const break_even *b) {
    widths w = {(int)strlen("layer"), (int)strlen("shape")};
    for (size_t i = 0; i < b->count; i++) {
        w.name = base_text_widen(w.name, b->shapes[i].name);
        w.what = base_text_widen(w.what, b->shapes[i].what);
    }
    return w;
}

static void write_row(base_writer *out, widths w, const break_even_shape *s) {
    base_write_text(out, "%-*s %6u  %-*s", w.name, s->name, s->layers, w.what, s->what);
    if (s->equal <= 0.0)
        base_write_text(out, "       never");
    else if (s->equal >= 1.0)
        base_write_text(out, "      always");
    else
        base_write_text(out, "%10.1f %%", 100.0 * (1.0 - s->equal));
    for (size_t i = 0; i < BREAK_EVEN_SHARES; i++)
        base_write_text(out, "%7.2f", break_even_ratio(&s->times[i]));
    base_write_text(out, "\n");
}

void break_even_write_table(const break_even *b, base_writer *out) {
    const widths w = find_widths(b);
    base_write_text(out,
                    "%s, one sample, %u thread%s: the share pruned from which sparse is faster "
                    "than oneDNN dense,\nand how many times as fast it is by the share pruned\n\n"
                    "%-*s %6s  %-*s%12s",
                    b->model, b->threads, b->threads == 1 ? "" : "s", w.name, "layer", "alike",
                    w.what, "shape", "break-even");
    for (size_t i = 0; i < BREAK_EVEN_SHARES; i++)
        base_write_text(out, "%5.0f %%", 100.0 * (1.0 - break_even_shares[i]));
    base_write_text(out, "\n");
    for (size_t i = 0; i < b->count; i++)
        write_row(out, w, &b->shapes[i]);
}
