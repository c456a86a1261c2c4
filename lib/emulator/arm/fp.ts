/**
 * Encodings of the Floating-point Extension: Armv7-M ARM A6.4 (data processing), A6.5 (load and store), A6.6 and A6.7 (transfers);
 * Armv8-M ARM C2.4. FPv4-SP and FPv5, a row for binary32 (sz = 0) and one for binary64 (sz = 1), which not every core has.
 */
import { Rounding } from '../soft-float';
import { Negate } from './float-unit';
import type { OperationName } from './operations';
import {
  inIt,
  mainline,
  table,
  undefinedHere,
  unpredictable,
  v8Mainline,
  type Extension,
  type Fields,
  type Meaning,
  type Row,
  type RowText,
  type Site,
} from './rows';
import { State } from './state';

type Width = 'f32' | 'f64';
const widths: readonly Width[] = ['f32', 'f64'];

/** Sn from the field of four bits and its extra low bit. */
const single = (four: number, low: number) => State.s0 + four * 2 + low;
/** Dn by its first word; undefined for D16 to D31, which no M profile core has. */
const double = (four: number, top: number) => (top === 1 ? undefined : State.s0 + four * 2);
const register = (width: Width, four: number, bit: number) => (width === 'f32' ? single(four, bit) : double(four, bit));

const sz = (width: Width) => (width === 'f32' ? '0' : '1');
const title = (name: string, width: Width) => `${name} T1, ${width.toUpperCase()}`;

/** A meaning of registers, some of which may not exist. */
function withRegisters(
  registers: readonly (number | undefined)[],
  exec: (...words: readonly number[]) => Meaning,
): Meaning {
  const words = registers.filter((word) => word !== undefined);
  return words.length === registers.length ? exec(...words) : undefinedHere;
}

type Three = 'vadd' | 'vsub' | 'vmul' | 'vdiv' | 'vmla' | 'vfma' | 'vmaxnm' | 'vsel';

function three(width: Width, name: Three, f: Fields, ...further: readonly number[]): Meaning {
  const registers = [register(width, f.Vd, f.D), register(width, f.Vn, f.N), register(width, f.Vm, f.M)];
  return withRegisters(registers, (d, n, m) => [`${name}_${width}`, d, n, m, ...further]);
}

const threeBits = (opc1: string, width: Width, op: string) =>
  `11101110 ${opc1} Vn:4 | Vd:4 101 ${sz(width)} N ${op} M 0 Vm:4`;

function threeRow(width: Width, opc1: string, op: string, title1: string, name: Three, ...further: number[]): RowText {
  return [threeBits(opc1, width, op), title(title1, width), (f) => three(width, name, f, ...further)];
}

const arithmetic = (width: Width): RowText[] => [
  threeRow(width, '0 D 00', '0', 'VMLA', 'vmla', Negate.none),
  threeRow(width, '0 D 00', '1', 'VMLS', 'vmla', Negate.product),
  threeRow(width, '0 D 01', '0', 'VNMLS', 'vmla', Negate.addend),
  threeRow(width, '0 D 01', '1', 'VNMLA', 'vmla', Negate.addend + Negate.product),
  threeRow(width, '0 D 10', '0', 'VMUL', 'vmul', 0),
  threeRow(width, '0 D 10', '1', 'VNMUL', 'vmul', 1),
  threeRow(width, '0 D 11', '0', 'VADD', 'vadd'),
  threeRow(width, '0 D 11', '1', 'VSUB', 'vsub'),
  threeRow(width, '1 D 00', '0', 'VDIV', 'vdiv'),
  threeRow(width, '1 D 01', '0', 'VFNMS', 'vfma', Negate.addend),
  threeRow(width, '1 D 01', '1', 'VFNMA', 'vfma', Negate.addend + Negate.product),
  threeRow(width, '1 D 10', '0', 'VFMA', 'vfma', Negate.none),
  threeRow(width, '1 D 10', '1', 'VFMS', 'vfma', Negate.product),
];

/** 1 D 11, opc2, with opc3 in bits 7 and 6. */
const twoBits = (opc2: string, width: Width, opc3: string) =>
  `11101110 1 D 11 ${opc2} | Vd:4 101 ${sz(width)} ${opc3} M 0 Vm:4`;

type Two = 'vabs' | 'vneg' | 'vsqrt' | 'vrint';

function twoRow(width: Width, opc2: string, opc3: string, title1: string, name: Two, ...further: number[]): RowText {
  return [
    twoBits(opc2, width, opc3),
    title(title1, width),
    (f) =>
      withRegisters([register(width, f.Vd, f.D), register(width, f.Vm, f.M)], (d, m) => [
        `${name}_${width}`,
        d,
        m,
        ...further,
      ]),
  ];
}

/** VFPExpandImm. */
export function expandImmediate(width: Width, imm8: number): readonly number[] {
  const sign = imm8 >>> 7 === 1 ? 0x80000000 : 0;
  const b = (imm8 >>> 6) & 1;
  if (width === 'f32') return [sign | (b === 1 ? 0x3e000000 : 0x40000000) | ((imm8 & 0x3f) << 19) | 0];
  return [0, sign | (b === 1 ? 0x3fc00000 : 0x40000000) | ((imm8 & 0x3f) << 16) | 0];
}

const moves = (width: Width): RowText[] => [
  [
    `11101110 1 D 11 imm4H:4 | Vd:4 101 ${sz(width)} (0) 0 (0) 0 imm4L:4`,
    title('VMOV (immediate)', width),
    (f) =>
      withRegisters([register(width, f.Vd, f.D)], (d) => [
        width === 'f32' ? 'vmov_imm' : 'vmov_imm_words',
        d,
        ...expandImmediate(width, f.imm4H * 16 + f.imm4L),
      ]),
  ],
  [
    twoBits('0000', width, '0 1'),
    title('VMOV (register)', width),
    (f) =>
      withRegisters([register(width, f.Vd, f.D), register(width, f.Vm, f.M)], (d, m) =>
        width === 'f32' ? ['vmov_word', d, m] : ['vmov_words', d, m, d + 1, m + 1],
      ),
  ],
];

const unary = (width: Width): RowText[] => [
  twoRow(width, '0000', '1 1', 'VABS', 'vabs'),
  twoRow(width, '0001', '0 1', 'VNEG', 'vneg'),
  twoRow(width, '0001', '1 1', 'VSQRT', 'vsqrt'),
];

const compares = (width: Width): RowText[] => [
  [
    twoBits('0100', width, 'E 1'),
    title('VCMP, VCMPE', width),
    (f) =>
      withRegisters([register(width, f.Vd, f.D), register(width, f.Vm, f.M)], (d, m) => [`vcmp_${width}`, d, m, f.E]),
  ],
  [
    `11101110 1 D 11 0101 | Vd:4 101 ${sz(width)} E 1 (0) 0 (0000)`,
    title('VCMP, VCMPE with zero', width).replace('T1', 'T2'),
    (f) => withRegisters([register(width, f.Vd, f.D)], (d) => [`vcmp_${width}`, d, -1, f.E]),
  ],
];

const integerConversions = (width: Width): RowText[] => [
  [
    twoBits('1000', width, 'op 1'),
    title('VCVT from integer', width),
    (f) => withRegisters([register(width, f.Vd, f.D), single(f.Vm, f.M)], (d, m) => [`vcvt_${width}_int`, d, m, f.op]),
  ],
  [
    twoBits('110 signed', width, 'op 1'),
    title('VCVT, VCVTR to integer', width),
    (f) =>
      withRegisters([single(f.Vd, f.D), register(width, f.Vm, f.M)], (d, m) => [
        `vcvt_int_${width}`,
        d,
        m,
        f.signed,
        f.op === 1 ? Rounding.zero : -1,
      ]),
  ],
  [
    `11101110 1 D 11 1 op 1 U | Vd:4 101 ${sz(width)} sx 1 i 0 imm4:4`,
    title('VCVT with fixed-point', width),
    (f) => fixedPoint(width, f),
  ],
];

function fixedPoint(width: Width, f: Fields): Meaning {
  const size = f.sx === 1 ? 32 : 16;
  const fraction = size - (f.imm4 * 2 + f.i);
  if (fraction < 0) return unpredictable;
  const name: OperationName = f.op === 1 ? `vcvt_fixed_${width}` : `vcvt_${width}_fixed`;
  return withRegisters([register(width, f.Vd, f.D)], (d) => [name, d, size, 1 - f.U, fraction]);
}

/** VCVTB and VCVTT: T is the half of the single register. */
const halfConversions = (width: Width): RowText[] => [
  [
    twoBits('0010', width, 'T 1'),
    title('VCVTB, VCVTT from half', width),
    (f) =>
      withRegisters([register(width, f.Vd, f.D), single(f.Vm, f.M)], (d, m) => [`vcvt_${width}_half`, d, m, f.T * 16]),
  ],
  [
    twoBits('0011', width, 'T 1'),
    title('VCVTB, VCVTT to half', width),
    (f) =>
      withRegisters([single(f.Vd, f.D), register(width, f.Vm, f.M)], (d, m) => [`vcvt_half_${width}`, d, m, f.T * 16]),
  ],
];

const betweenWidths: readonly RowText[] = [
  [
    twoBits('0111', 'f32', '1 1'),
    'VCVT T1, F64 from F32',
    (f) => withRegisters([double(f.Vd, f.D), single(f.Vm, f.M)], (d, m) => ['vcvt_f64_f32', d, m]),
  ],
  [
    twoBits('0111', 'f64', '1 1'),
    'VCVT T1, F32 from F64',
    (f) => withRegisters([single(f.Vd, f.D), double(f.Vm, f.M)], (d, m) => ['vcvt_f32_f64', d, m]),
  ],
];

/** FPv5's unconditional encodings are UNPREDICTABLE in an IT block. */
const outsideIt =
  (exec: (f: Fields) => Meaning) =>
  (f: Fields, at: Site): Meaning =>
    inIt(at) ? unpredictable : exec(f);

/** RM of the encoding: A, N, P, M. */
const directed = [Rounding.away, Rounding.nearest, Rounding.up, Rounding.down] as const;

const fpv5 = (width: Width): RowText[] => [
  [
    `11111110 0 D cc:2 Vn:4 | Vd:4 101 ${sz(width)} N 0 M 0 Vm:4`,
    title('VSELEQ, VSELVS, VSELGE, VSELGT', width),
    outsideIt((f) => three(width, 'vsel', f, f.cc)),
  ],
  [
    `11111110 1 D 00 Vn:4 | Vd:4 101 ${sz(width)} N 0 M 0 Vm:4`,
    title('VMAXNM', width),
    outsideIt((f) => three(width, 'vmaxnm', f, 1)),
  ],
  [
    `11111110 1 D 00 Vn:4 | Vd:4 101 ${sz(width)} N 1 M 0 Vm:4`,
    title('VMINNM', width),
    outsideIt((f) => three(width, 'vmaxnm', f, -1)),
  ],
  [
    `11111110 1 D 11 10 RM:2 | Vd:4 101 ${sz(width)} 0 1 M 0 Vm:4`,
    title('VRINTA, VRINTN, VRINTP, VRINTM', width),
    outsideIt((f) =>
      withRegisters([register(width, f.Vd, f.D), register(width, f.Vm, f.M)], (d, m) => [
        `vrint_${width}`,
        d,
        m,
        directed[f.RM],
        0,
      ]),
    ),
  ],
  [
    `11111110 1 D 11 11 RM:2 | Vd:4 101 ${sz(width)} op 1 M 0 Vm:4`,
    title('VCVTA, VCVTN, VCVTP, VCVTM', width),
    outsideIt((f) =>
      withRegisters([single(f.Vd, f.D), register(width, f.Vm, f.M)], (d, m) => [
        `vcvt_int_${width}`,
        d,
        m,
        f.op,
        directed[f.RM],
      ]),
    ),
  ],
  twoRow(width, '0110', '0 1', 'VRINTR', 'vrint', -1, 0),
  twoRow(width, '0110', '1 1', 'VRINTZ', 'vrint', Rounding.zero, 0),
  twoRow(width, '0111', '0 1', 'VRINTX', 'vrint', -1, 1),
];

const bad = (...registers: readonly number[]) => registers.some((one) => one === 13 || one === 15);
const scalar = (f: Fields) => double(f.Vn, f.N);

const transfers: readonly RowText[] = [
  [
    '11101110 0000 Vn:4 | Rt:4 1010 N (00) 1 (0000)',
    'VMOV T1, core register to single',
    (f) => (bad(f.Rt) ? unpredictable : ['vmov_word', single(f.Vn, f.N), f.Rt]),
  ],
  [
    '11101110 0001 Vn:4 | Rt:4 1010 N (00) 1 (0000)',
    'VMOV T1, single to core register',
    (f) => (bad(f.Rt) ? unpredictable : ['vmov_word', f.Rt, single(f.Vn, f.N)]),
  ],
  [
    '11101110 00 H 0 Vn:4 | Rt:4 1011 N 00 1 (0000)',
    'VMOV T1, core register to scalar',
    (f) => (bad(f.Rt) ? unpredictable : withRegisters([scalar(f)], (d) => ['vmov_word', d + f.H, f.Rt])),
  ],
  [
    '11101110 00 H 1 Vn:4 | Rt:4 1011 N 00 1 (0000)',
    'VMOV T1, scalar to core register',
    (f) => (bad(f.Rt) ? unpredictable : withRegisters([scalar(f)], (n) => ['vmov_word', f.Rt, n + f.H])),
  ],
  [
    '11101100 0100 Rt2:4 | Rt:4 1010 00 M 1 Vm:4',
    'VMOV T1, two core registers to two singles',
    (f) => pairs(f, single(f.Vm, f.M), true),
  ],
  [
    '11101100 0101 Rt2:4 | Rt:4 1010 00 M 1 Vm:4',
    'VMOV T1, two singles to two core registers',
    (f) => pairs(f, single(f.Vm, f.M), false),
  ],
  [
    '11101100 0100 Rt2:4 | Rt:4 1011 00 M 1 Vm:4',
    'VMOV T1, two core registers to double',
    (f) => pairs(f, double(f.Vm, f.M), true),
  ],
  [
    '11101100 0101 Rt2:4 | Rt:4 1011 00 M 1 Vm:4',
    'VMOV T1, double to two core registers',
    (f) => pairs(f, double(f.Vm, f.M), false),
  ],
  ['11101110 1110 0001 | Rt:4 1010 (000) 1 (0000)', 'VMSR T1', (f) => (bad(f.Rt) ? unpredictable : ['vmsr', f.Rt])],
  [
    '11101110 1111 0001 | Rt:4 1010 (000) 1 (0000)',
    'VMRS T1',
    (f) => (f.Rt === 15 ? ['vmrs_apsr'] : f.Rt === 13 ? unpredictable : ['vmrs', f.Rt]),
  ],
];

/** Rt and Rt2 with two consecutive words of registers. */
function pairs(f: Fields, words: number | undefined, toFloat: boolean): Meaning {
  if (bad(f.Rt, f.Rt2) || (!toFloat && f.Rt === f.Rt2)) return unpredictable;
  return withRegisters([words], (s) => {
    // S31 has no successor.
    if (s === State.s0 + 31) return unpredictable;
    return toFloat ? ['vmov_words', s, f.Rt, s + 1, f.Rt2] : ['vmov_words', f.Rt, s, f.Rt2, s + 1];
  });
}

function access(width: Width, f: Fields, at: Site, load: boolean): Meaning {
  const offset = (f.U === 1 ? f.imm8 : -f.imm8) * 4;
  return withRegisters([register(width, f.Vd, f.D)], (d) => {
    if (f.Rn !== 15) return [load ? `vldr_${width}` : `vstr_${width}`, d, f.Rn, offset];
    return load ? [`vldr_lit_${width}`, d, (((at.pc + 4) & ~3) + offset) | 0] : unpredictable;
  });
}

function multiple(width: Width, f: Fields, load: boolean, decrement: boolean, writeBack: number): Meaning {
  const words = width === 'f32' ? f.imm8 : f.imm8 & ~1;
  const first = register(width, f.Vd, f.D);
  if (f.Rn === 15 || words === 0 || words > 32) return unpredictable;
  return withRegisters([first], (d) => {
    if (d - State.s0 + words > 32) return unpredictable;
    // An odd count of double registers is FLDMX or FSTMX, whose base moves by a word more.
    const bytes = f.imm8 * 4 * (decrement ? -1 : 1);
    return [load ? 'vldm' : 'vstm', f.Rn, d, words, decrement ? bytes : 0, writeBack === 1 ? bytes : 0];
  });
}

const memory = (width: Width): RowText[] => {
  const tail = `Vd:4 101 ${sz(width)} imm8:8`;
  return [
    [`1110110 1 U D 0 0 Rn:4 | ${tail}`, title('VSTR', width), (f, at) => access(width, f, at, false)],
    [`1110110 1 U D 0 1 Rn:4 | ${tail}`, title('VLDR', width), (f, at) => access(width, f, at, true)],
    [`1110110 01 D W 0 Rn:4 | ${tail}`, title('VSTM, VSTMIA', width), (f) => multiple(width, f, false, false, f.W)],
    [
      `1110110 01 D W 1 Rn:4 | ${tail}`,
      title('VLDM, VLDMIA, VPOP', width),
      (f) => multiple(width, f, true, false, f.W),
    ],
    [`1110110 10 D 1 0 Rn:4 | ${tail}`, title('VSTMDB, VPUSH', width), (f) => multiple(width, f, false, true, 1)],
    [`1110110 10 D 1 1 Rn:4 | ${tail}`, title('VLDMDB', width), (f) => multiple(width, f, true, true, 1)],
  ];
};

const secure: readonly RowText[] = [
  ['11101100 0010 Rn:4 | 0000 1010 00000000', 'VLSTM T1', () => ['not_implemented', 1]],
  ['11101100 0011 Rn:4 | 0000 1010 00000000', 'VLLDM T1', () => ['not_implemented', 1]],
];

/** Cores with binary64 have FPv5. */
const extensionOf = (width: Width, version: 4 | 5): Extension =>
  width === 'f64' ? 'fp64' : version === 4 ? 'fp' : 'fpv5';

export const fpRows: readonly Row[] = [
  ...widths.flatMap((width) => [
    ...table('A6.4', mainline, [...arithmetic(width), ...unary(width), ...compares(width)], extensionOf(width, 4)),
    ...table('A6.4', mainline, moves(width), extensionOf(width, 4)),
    ...table('A6.4', mainline, integerConversions(width), extensionOf(width, 4)),
    ...table('A6.4', mainline, halfConversions(width), extensionOf(width, 4)),
    ...table('A6.4', mainline, fpv5(width), extensionOf(width, 5)),
    ...table('A6.5', mainline, memory(width), 'fp'),
  ]),
  ...table('A6.4', mainline, betweenWidths, 'fp64'),
  ...table('A6.6, A6.7', mainline, transfers, 'fp'),
  ...table('Armv8-M C2.4', v8Mainline, secure, 'fp'),
];
