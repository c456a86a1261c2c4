/** Relocation types of Renesas RX, under the names of GNU binutils. */
export const R_RX_NONE = 0;
export const R_RX_DIR32 = 1;
export const R_RX_DIR24S = 2;
export const R_RX_DIR16 = 3;
export const R_RX_DIR16U = 4;
export const R_RX_DIR16S = 5;
export const R_RX_DIR8 = 6;
export const R_RX_DIR8U = 7;
export const R_RX_DIR8S = 8;
export const R_RX_DIR24S_PCREL = 9;
export const R_RX_DIR16S_PCREL = 10;
export const R_RX_DIR8S_PCREL = 11;
