/* Prints the class of each image, and how many instructions an inference took. */
#include "program.h"

#include "net.h"

static void print_number(uint32_t number) {
    char text[12];
    char *at = &text[sizeof text - 1];
    *at = 0;
    do {
        *--at = (char)('0' + number % 10U);
        number /= 10U;
    } while (number != 0U);
    program_print(at);
}

static uint32_t largest(const float *outputs) {
    uint32_t most = 0;
    for (uint32_t i = 1; i < NET_OUTPUTS; i++)
        if (outputs[i] > outputs[most])
            most = i;
    return most;
}

int program_main(void) {
    static uint8_t pixels[NET_INPUTS];
    static float inputs[NET_INPUTS];
    static float outputs[NET_OUTPUTS];
    const uint32_t file = program_open();
    uint32_t instructions = 0;
    while (program_read(file, pixels, NET_INPUTS)) {
        for (uint32_t i = 0; i < NET_INPUTS; i++)
            inputs[i] = (float)pixels[i] / 255.0F;
        const uint32_t before = program_instructions();
        if (net_predict(inputs, outputs) != 0)
            return 1;
        instructions = program_instructions() - before;
        print_number(largest(outputs));
        program_print("\n");
    }
    program_print("instructions ");
    print_number(instructions);
    program_print("\n");
    return 0;
}
