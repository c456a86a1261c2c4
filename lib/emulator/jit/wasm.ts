/**
 * WebAssembly's binary format as far as translated code needs it: opcodes by the names of the core specification (5.4),
 * a byte buffer with LEB128 numbers, and the sections of a module (5.5) that imports everything but its functions.
 */

export const Op = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  br_if: 0x0d,
  br_table: 0x0e,
  return: 0x0f,
  call: 0x10,
  call_indirect: 0x11,
  drop: 0x1a,
  select: 0x1b,
  local_get: 0x20,
  local_set: 0x21,
  local_tee: 0x22,
  i32_load: 0x28,
  i64_load: 0x29,
  i32_load8_s: 0x2c,
  i32_load8_u: 0x2d,
  i32_load16_s: 0x2e,
  i32_load16_u: 0x2f,
  i32_store: 0x36,
  i64_store: 0x37,
  i32_store8: 0x3a,
  i32_store16: 0x3b,
  i32_const: 0x41,
  i64_const: 0x42,
  i32_eqz: 0x45,
  i32_eq: 0x46,
  i32_ne: 0x47,
  i32_lt_s: 0x48,
  i32_lt_u: 0x49,
  i32_gt_s: 0x4a,
  i32_gt_u: 0x4b,
  i32_le_s: 0x4c,
  i32_le_u: 0x4d,
  i32_ge_s: 0x4e,
  i32_ge_u: 0x4f,
  i64_eq: 0x51,
  i64_gt_u: 0x56,
  i32_clz: 0x67,
  i32_ctz: 0x68,
  i32_popcnt: 0x69,
  i32_add: 0x6a,
  i32_sub: 0x6b,
  i32_mul: 0x6c,
  i32_div_s: 0x6d,
  i32_div_u: 0x6e,
  i32_rem_s: 0x6f,
  i32_rem_u: 0x70,
  i32_and: 0x71,
  i32_or: 0x72,
  i32_xor: 0x73,
  i32_shl: 0x74,
  i32_shr_s: 0x75,
  i32_shr_u: 0x76,
  i32_rotl: 0x77,
  i32_rotr: 0x78,
  i64_add: 0x7c,
  i64_mul: 0x7e,
  i64_and: 0x83,
  i64_or: 0x84,
  i64_xor: 0x85,
  i64_shl: 0x86,
  i64_shr_s: 0x87,
  i64_shr_u: 0x88,
  i32_wrap_i64: 0xa7,
  i64_extend_i32_s: 0xac,
  i64_extend_i32_u: 0xad,
  i32_extend8_s: 0xc0,
  i32_extend16_s: 0xc1,
} as const;

export const Type = { i32: 0x7f, i64: 0x7e, funcref: 0x70, func: 0x60, none: 0x40 } as const;

/** Bytes that grow, with the number formats of 5.2.2. */
export class ByteWriter {
  bytes = new Uint8Array(1024);
  length = 0;

  byte(value: number): void {
    if (this.length === this.bytes.length) this.reserve(1);
    this.bytes[this.length++] = value;
  }

  u32(value: number): void {
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  s32(value: number): void {
    let rest = value | 0;
    while (rest < -64 || rest > 63) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    this.byte(rest & 0x7f);
  }

  s64(value: bigint): void {
    let rest = BigInt.asIntN(64, value);
    while (rest < -64n || rest > 63n) {
      this.byte(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.byte(Number(rest & 0x7fn));
  }

  append(other: ByteWriter): void {
    this.reserve(other.length);
    this.bytes.set(other.bytes.subarray(0, other.length), this.length);
    this.length += other.length;
  }

  text(value: string): void {
    this.u32(value.length);
    for (let i = 0; i < value.length; i++) this.byte(value.charCodeAt(i));
  }

  private reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const bytes = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count));
    bytes.set(this.bytes);
    this.bytes = bytes;
  }
}

/** A function type; the types of a module are numbered in the order given. */
export interface FunctionType {
  readonly parameters: readonly number[];
  readonly results: readonly number[];
}

export interface ImportedFunction {
  readonly name: string;
  readonly type: number;
}

export interface ModuleParts {
  readonly types: readonly FunctionType[];
  /** Functions are numbered imports first. */
  readonly imports: readonly ImportedFunction[];
  /** Type and body (locals and expression, without its length) of each function; all are exported by their index among these. */
  readonly functions: readonly { readonly type: number; readonly body: ByteWriter }[];
}

const Section = { type: 1, import: 2, function: 3, export: 7, code: 10 } as const;
const Kind = { function: 0, table: 1, memory: 2 } as const;

/** The module's only import namespace; its memory and table are imported as 'memory' and 'table'. */
export const importNamespace = 'e';

function section(module: ByteWriter, id: number, fill: (writer: ByteWriter) => void): void {
  const content = new ByteWriter();
  fill(content);
  module.byte(id);
  module.u32(content.length);
  module.append(content);
}

function writeImports(writer: ByteWriter, imports: readonly ImportedFunction[]): void {
  writer.u32(imports.length + 2);
  const name = (text: string) => {
    writer.text(importNamespace);
    writer.text(text);
  };
  name('memory');
  for (const byte of [Kind.memory, 0, 1]) writer.byte(byte);
  name('table');
  for (const byte of [Kind.table, Type.funcref, 0, 1]) writer.byte(byte);
  for (const { name: text, type } of imports) {
    name(text);
    writer.byte(Kind.function);
    writer.u32(type);
  }
}

/** The bytes of a module. */
export function encodeModule({ types, imports, functions }: ModuleParts): Uint8Array<ArrayBuffer> {
  const module = new ByteWriter();
  for (const byte of [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]) module.byte(byte);
  section(module, Section.type, (writer) => {
    writer.u32(types.length);
    for (const { parameters, results } of types) {
      writer.byte(Type.func);
      writer.u32(parameters.length);
      for (const type of parameters) writer.byte(type);
      writer.u32(results.length);
      for (const type of results) writer.byte(type);
    }
  });
  section(module, Section.import, (writer) => writeImports(writer, imports));
  section(module, Section.function, (writer) => {
    writer.u32(functions.length);
    for (const { type } of functions) writer.u32(type);
  });
  section(module, Section.export, (writer) => {
    writer.u32(functions.length);
    functions.forEach((_, index) => {
      writer.text(String(index));
      writer.byte(Kind.function);
      writer.u32(imports.length + index);
    });
  });
  section(module, Section.code, (writer) => {
    writer.u32(functions.length);
    for (const { body } of functions) {
      writer.u32(body.length);
      writer.append(body);
    }
  });
  return module.bytes.slice(0, module.length);
}
