/** Over this, counted as decoded, a body is cut: what is complete is delivered, the rest asked for again. [PROTOCOL T2] */
export const maxBodyBytes = 64 * 1024 * 1024
