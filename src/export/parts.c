#include "export/parts.h"

#include <stdio.h>
#include <string.h>

#define BEGIN "/*** "
#define END " ***/\n"

void export_parts_open(export_parts *parts) {
    const char *at = strstr(export_parts_text, BEGIN);
    *parts = (export_parts){0};
    while (at != NULL && parts->count < EXPORT_SECTIONS_MAX) {
        export_section *section = &parts->sections[parts->count++];
        const char *colon = strchr(at, ':');
        const char *text = strstr(at, END) + strlen(END);
        const char *next = strstr(text, BEGIN);
        const int length = (int)(colon - at - (ptrdiff_t)strlen(BEGIN));
        snprintf(section->name, sizeof section->name, "%.*s", length, at + strlen(BEGIN));
        section->needs = colon + 1;
        section->text = text;
        section->length = next != NULL ? (size_t)(next - text) : strlen(text);
        at = next;
    }
}

static bool needs(const export_section *section, const char *name) {
    const size_t length = strlen(name);
    const char *end = strstr(section->needs, END);
    const char *at = strstr(section->needs, name);
    while (at != NULL && at < end) {
        if (at[-1] == ' ' && at[length] == ' ')
            return true;
        at = strstr(at + 1, name);
    }
    return false;
}

/* What a section needs is before it: one walk backwards finds it all. */
void export_parts_use(export_parts *parts, const char *name) {
    uint32_t i = parts->count;
    while (i-- > 0 && strcmp(parts->sections[i].name, name) != 0)
        continue;
    parts->sections[i].used = true;
    for (; i > 0; i--)
        for (uint32_t k = 0; parts->sections[i].used && k < i; k++)
            parts->sections[k].used |= needs(&parts->sections[i], parts->sections[k].name);
}

/* ---- functions of one and of two numbers ---- */

/* No name here or in parts/ is one of the C library's or of POSIX (raise, index, gamma), which may
 * be declared where the code is compiled. */
typedef struct function {
    const char *name, *expression;
    uint32_t numbers; /* of the node's: none, a, or a and b */
} function;

static const function unary_functions[GRAPH_UNARY_COUNT + 1] = {
    [GRAPH_LEAKY_RELU] = {"leaky_relu", "(x >= 0.0F) ? x : (a * x)", 1},
    [GRAPH_CLIP] = {"clip", "clamp(x, a, b)", 2},
    [GRAPH_SIGMOID] = {"sigmoid", "1.0F / (1.0F + expf(-x))", 0},
    [GRAPH_HARD_SIGMOID] = {"hard_sigmoid", "clamp((a * x) + b, 0.0F, 1.0F)", 2},
    [GRAPH_HARD_SWISH] = {"hard_swish", "x * clamp((x / 6.0F) + 0.5F, 0.0F, 1.0F)", 0},
    [GRAPH_TANH] = {"hyperbolic_tangent", "tanhf(x)", 0},
    [GRAPH_ELU] = {"elu", "(x < 0.0F) ? (a * expm1f(x)) : x", 1},
    [GRAPH_GELU] = {"gelu", "0.5F * x * (1.0F + erff(x * 0.707106781F))", 0},
    [GRAPH_GELU_TANH] = {"gelu_tanh",
                         "0.5F * x * (1.0F + tanhf(0.797884561F * (x + (0.044715F * x * x * x))))",
                         0},
    [GRAPH_SOFTPLUS] = {"softplus", "fmaxf(x, 0.0F) + log1pf(expf(-fabsf(x)))", 0},
    [GRAPH_ERF] = {"error_function", "erff(x)", 0},
    [GRAPH_SQRT] = {"square_root", "sqrtf(x)", 0},
    [GRAPH_NEG] = {"negate", "-x", 0},
    [GRAPH_EXP] = {"exponential", "expf(x)", 0},
    [GRAPH_POWER] = {"power", "powf(x, a)", 1},
    [EXPORT_RECTIFIER] = {"rectify", "(x <= 0.0F) ? 0.0F : x", 0},
};

static const function binary_functions[GRAPH_BINARY_COUNT] = {
    [GRAPH_ADD] = {"add", "x + z", 0},
    [GRAPH_SUB] = {"subtract", "x - z", 0},
    [GRAPH_MUL] = {"multiply_each", "x * z", 0},
    [GRAPH_DIV] = {"divide", "x / z", 0},
    [GRAPH_POW] = {"raise_to", "powf(x, z)", 0},
    [GRAPH_PRELU] = {"prelu", "(x >= 0.0F) ? x : (z * x)", 0},
};

const char *export_parts_use_unary(export_parts *parts, uint32_t kind, uint32_t *numbers) {
    const function *f = &unary_functions[kind];
    if (strstr(f->expression, "clamp") != NULL)
        export_parts_use(parts, "clamp");
    export_parts_use(parts, "unary");
    parts->unary[kind] = true;
    *numbers = f->numbers;
    return f->name;
}

const char *export_parts_use_binary(export_parts *parts, uint32_t kind) {
    export_parts_use(parts, "binary");
    parts->binary[kind] = true;
    return binary_functions[kind].name;
}

/* ---- writing ---- */

typedef struct word {
    const char *name, *text;
} word;

#define WORDS 3

static void write_pattern(const export_section *section, const function *f, base_writer *out) {
    static const char *const numbers[] = {"", ", float a", ", float a, float b"};
    const word words[WORDS] = {
        {"FUNCTION", f->name}, {"NUMBERS", numbers[f->numbers]}, {"EXPRESSION", f->expression}};
    for (size_t i = 0; i < section->length;) {
        const word *found = NULL;
        for (size_t w = 0; w < WORDS; w++)
            if (strncmp(section->text + i, words[w].name, strlen(words[w].name)) == 0)
                found = &words[w];
        if (found != NULL)
            base_write_bytes(out, found->text, strlen(found->text));
        else
            base_write_bytes(out, section->text + i, 1);
        i += found != NULL ? strlen(found->name) : 1;
    }
}

static void write_functions(const export_section *section, const function *functions,
                            const bool *used, uint32_t count, base_writer *out) {
    for (uint32_t i = 0; i < count; i++)
        if (used[i])
            write_pattern(section, &functions[i], out);
}

static void write_section(const export_parts *parts, const export_section *section,
                          base_writer *out) {
    if (strcmp(section->name, "unary") == 0)
        write_functions(section, unary_functions, parts->unary, GRAPH_UNARY_COUNT + 1, out);
    else if (strcmp(section->name, "binary") == 0)
        write_functions(section, binary_functions, parts->binary, GRAPH_BINARY_COUNT, out);
    else
        base_write_bytes(out, section->text, section->length);
}

void export_parts_write(const export_parts *parts, base_writer *out) {
    for (uint32_t i = 0; i < parts->count; i++)
        if (parts->sections[i].used)
            write_section(parts, &parts->sections[i], out);
}
