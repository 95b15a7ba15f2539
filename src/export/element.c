/* What works element by element, and what is passed on. */
#include <stdio.h>

#include "export/axes.h"

static void write_unary(export_job *job, uint32_t n, uint32_t kind) {
    const graph_node *node = &job->g->nodes[n];
    uint32_t numbers;
    const char *function = export_parts_use_unary(&job->parts, kind, &numbers);
    base_write_text(&job->calls, "        %s(%s, %zuU", function, export_operand(job, node, 0).text,
                    graph_value_count(job->g, node->output));
    for (uint32_t i = 0; i < numbers; i++) {
        base_write_text(&job->calls, ", ");
        export_write_float(&job->calls, i == 0 ? node->unary.a : node->unary.b);
    }
    base_write_text(&job->calls, ", %s);\n", export_result(job, node, 0).text);
}

static void write_binary(export_job *job, uint32_t n) {
    const graph_node *node = &job->g->nodes[n];
    const graph_shape shape = job->g->values[node->output].shape;
    const export_name left = export_name_of("left", n);
    const export_name right = export_name_of("right", n);
    export_axes axes[] = {
        export_axes_broadcast(graph_operand_shape(job->g, node, 0), shape),
        export_axes_broadcast(graph_operand_shape(job->g, node, 1), shape),
    };
    export_axes_join(axes, 2);
    export_axes_write(job, left.text, &axes[0]);
    export_axes_write(job, right.text, &axes[1]);
    const export_name x = export_operand(job, node, 0);
    const export_name z = export_operand(job, node, 1);
    base_write_text(&job->calls, "        %s(%s, %s, %uU, %zuU, %s, %s, %s);\n",
                    export_parts_use_binary(&job->parts, node->binary), left.text, right.text,
                    axes[0].rank, graph_shape_count(shape), x.text, z.text,
                    export_result(job, node, 0).text);
}

/* A dropout or a reshape of what cannot be left where it is. */
static void write_copy(export_job *job, uint32_t n) {
    const graph_node *node = &job->g->nodes[n];
    const size_t count = graph_value_count(job->g, node->output);
    export_parts_use(&job->parts, "copy");
    base_write_text(&job->calls, "        copy_rows(%s, 1U, %zuU, %zuU, %s);\n",
                    export_operand(job, node, 0).text, count, count,
                    export_result(job, node, 0).text);
}

void export_element_write(export_job *job, uint32_t n) {
    const graph_node *node = &job->g->nodes[n];
    if (node->op == GRAPH_RELU)
        write_unary(job, n, EXPORT_RECTIFIER);
    else if (node->op == GRAPH_UNARY)
        write_unary(job, n, node->unary.kind);
    else if (node->op == GRAPH_BINARY)
        write_binary(job, n);
    else
        write_copy(job, n);
}
