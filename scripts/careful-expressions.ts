/**
 * The values of careful operations (careful-operations.ts): of each expression its text and the text of its undefined bits, and what the
 * helpers that it calls depend on.
 */
import ts from 'typescript';
import { floatCalls } from './careful-calls';

export const flagWords: Readonly<Record<string, string>> = { n: 'r[16]', z: 'r[17]', c: 'r[18]', v: 'r[19]' };

export const zero = '0';

export abstract class CarefulExpressions {
  protected readonly lines: string[] = [];
  protected readonly locals = new Set<string>();
  /** Locals that never have undefined bits. */
  protected readonly defined = new Set<string>();
  /** Locals that hold a register as it is: the text of its number. */
  protected readonly registers = new Map<string, string>();
  protected readonly wide: boolean;
  protected readonly source: ts.SourceFile;
  protected temporaries = 0;
  protected jumpText = '';

  constructor(
    protected readonly name: string,
    text: string,
    protected readonly jumps: boolean,
    protected readonly hasFlags: boolean,
  ) {
    this.wide = /\bcore\.wide\b|BigInt|\dn\b/.test(text);
    const program = text
      .replace(/\bNEAR\((\d)\)/g, 'NEAR($1);')
      .replace(/\bCHECK_SP\((.*?)\)(?= )/g, 'CHECK_SP($1);')
      .replace(/\$(\d)/g, (_, i: string) => `code[k + ${Number(i) <= 3 ? i : Number(i) + 1}]`);
    this.source = ts.createSourceFile('exec.ts', program, ts.ScriptTarget.ES2022, true);
    this.jumpText = /JUMP\((.*)\)/.exec(program)?.[1] ?? '';
  }

  protected emit(line: string): void {
    this.lines.push(line);
  }

  protected refuse(node: ts.Node): never {
    throw new Error(`careful operation ${this.name}: cannot follow '${node.getText(this.source)}'`);
  }

  protected temporary(): string {
    return `t${this.temporaries++}$`;
  }

  /** Whether result and operands of a function of Arm's floating-point unit are doubles. */
  protected isDouble(node: ts.CallExpression, method: string): { readonly to: boolean; readonly from: boolean } {
    const first = this.text(node.arguments[0]).trim();
    const wide = method.endsWith('64') || first === '64';
    const to = method === 'toDouble' || (wide && !['toSingle', 'toHalf', 'toInteger'].includes(method));
    const from = method === 'toSingle' || (wide && !['toDouble', 'fromHalf', 'fromInteger'].includes(method));
    return { to, from };
  }

  protected floatOperands(node: ts.CallExpression, unit: string, method: string): { to?: string; from: string[] } {
    const at = (index: number): string => this.text(node.arguments[index]);
    if (method === 'compare') return { from: [at(1), at(2)] };
    if (method === 'toInteger') return unit === 'fpu' ? { to: at(1), from: [at(2)] } : { from: [at(0)] };
    if (method === 'fromInteger' && unit === 'fpu') return { to: at(1), from: [at(2)] };
    if (method === 'fromInteger')
      return { to: at(0), from: [/\[(code\[k \+ \d\])/.exec(at(1))?.[1] ?? this.refuse(node)] };
    const known = floatCalls[method] ?? this.refuse(node);
    return { to: known.to === undefined ? undefined : at(known.to), from: known.from.map(at) };
  }

  /** x[$1 >> 1] of RV64: a register as a 64-bit integer. */
  protected isWideRegister(node: ts.Expression): boolean {
    return (
      ts.isElementAccessExpression(node) && /^(x|core\.wide)$/.test(node.expression.getText(this.source)) && this.wide
    );
  }

  protected wordOf(node: ts.ElementAccessExpression): string {
    return this.text(node.argumentExpression).replace(/\s*>>\s*1\s*$/, '');
  }
  // --- Values --------------------------------------------------------------------------------------------------------------

  protected coreCall(node: ts.Expression): { name: string; arguments: readonly ts.Expression[] } | undefined {
    if (!ts.isCallExpression(node)) return undefined;
    const match = /^core\.(\w+)$/.exec(node.expression.getText(this.source));
    return match === null ? undefined : { name: match[1], arguments: node.arguments };
  }

  protected sizeOf(
    size: number | { readonly argument: number },
    call: { arguments: readonly ts.Expression[] },
  ): string {
    return typeof size === 'number' ? String(size) : this.text(call.arguments[size.argument]);
  }

  /** The expression as it is, with flags as state words. */
  protected text(node: ts.Node): string {
    if (ts.isIdentifier(node)) {
      if (node.text === 'LENGTH') return 'len';
      const isName = !ts.isPropertyAccessExpression(node.parent) || node.parent.expression === node;
      const word = this.hasFlags && isName && !this.locals.has(node.text) ? flagWords[node.text] : undefined;
      if (node.text === 'f' && isName) return 'core.transfer';
      return word ?? node.text;
    }
    const children = node.getChildren(this.source);
    if (children.length === 0) return node.getText(this.source);
    return children
      .map((child) => this.text(child))
      .join(' ')
      .replace(/ ?([.()[\]]) ?/g, '$1');
  }

  /** Text of the V bits of a value. */
  protected bits(node: ts.Expression): string {
    if (ts.isParenthesizedExpression(node)) return this.bits(node.expression);
    if (ts.isNumericLiteral(node) || ts.isBigIntLiteral(node) || ts.isStringLiteral(node)) return zero;
    if (node.kind === ts.SyntaxKind.TrueKeyword || node.kind === ts.SyntaxKind.FalseKeyword) return zero;
    if (ts.isIdentifier(node)) return this.identifierBits(node);
    if (ts.isElementAccessExpression(node)) return this.elementBits(node);
    if (ts.isPrefixUnaryExpression(node)) return this.unaryBits(node);
    if (ts.isConditionalExpression(node)) return this.conditionalBits(node);
    if (ts.isBinaryExpression(node))
      return this.binaryBits(node.operatorToken.getText(this.source), node.left, node.right);
    if (ts.isCallExpression(node)) return this.callBits(node);
    if (ts.isPropertyAccessExpression(node)) return this.propertyBits(node);
    return this.refuse(node);
  }

  protected propertyBits(node: ts.PropertyAccessExpression): string {
    const text = node.getText(this.source);
    if (text === 'core.upper') return 'safety.upper';
    if (text === 'core.shiftCarry') return 'safety.carry';
    if (text === 'core.stop') return zero;
    return this.refuse(node);
  }

  protected identifierBits(node: ts.Identifier): string {
    if (this.defined.has(node.text)) return zero;
    if (this.locals.has(node.text)) return `${node.text}_`;
    const word = this.hasFlags ? flagWords[node.text] : undefined;
    return word !== undefined ? `v${word}` : this.refuse(node);
  }

  protected elementBits(node: ts.ElementAccessExpression): string {
    if (this.isWideRegister(node)) return `safety.pair(${this.wordOf(node)})`;
    const array = node.expression.getText(this.source);
    if (array === 'code') return zero;
    if (array === 'f') return `safety.transfer[${this.text(node.argumentExpression)}]`;
    // Words of control registers are set by the system only.
    if (array !== 'r') return this.refuse(node);
    const which = this.bits(node.argumentExpression);
    const bits = `vr[${this.text(node.argumentExpression)}]`;
    return which === zero ? bits : `(${bits} | anyV(${which}, 0))`;
  }

  protected unaryBits(node: ts.PrefixUnaryExpression): string {
    const bits = this.bits(node.operand);
    if (bits === zero || node.operator === ts.SyntaxKind.TildeToken || node.operator === ts.SyntaxKind.ExclamationToken)
      return bits;
    return this.wide ? bits : `subV(0, ${this.text(node.operand)}, 0, ${bits})`;
  }

  protected conditionalBits(node: ts.ConditionalExpression): string {
    const [vc, vx, vy] = [node.condition, node.whenTrue, node.whenFalse].map((one) => this.bits(one));
    if (vc === zero && vx === zero && vy === zero) return zero;
    if (this.wide) return `anyV(${vc}, ${vx} | ${vy})`;
    const [x, y] = [node.whenTrue, node.whenFalse].map((one) => this.numberText(one));
    const condition = this.text(node.condition);
    return `chooseV(${condition}, ${x}, ${y}, ${vc}, ${vx}, ${vy})`;
  }

  protected numberText(node: ts.Expression): string {
    const isBoolean =
      ts.isBinaryExpression(node) && /^([<>]=?|[!=]==|&&|\|\|)$/.test(node.operatorToken.getText(this.source));
    const isChoice = ts.isConditionalExpression(node) && this.numberText(node.whenTrue).startsWith('Number');
    return isBoolean || isChoice ? `Number(${this.text(node)})` : this.text(node);
  }

  protected binaryBits(operator: string, left: ts.Expression, right: ts.Expression): string {
    const [va, vb] = [this.bits(left), this.bits(right)];
    if (va === zero && vb === zero) return zero;
    if (this.wide) return `anyV(${va}, ${vb})`;
    const [a, b] = [this.text(left), this.text(right)].map((one) => `(${one})`);
    switch (operator) {
      case '+':
        return this.sumBits(left, right, `addV(${a}, ${b}, ${va}, ${vb})`, va);
      case '-':
        return `subV(${a}, ${b}, ${va}, ${vb})`;
      case '*':
        return `mulV(${va}, ${vb})`;
      case '/':
      case '%':
        return `anyV(${va}, ${vb})`;
      case '&':
      case '&&':
        return `andV(${this.word(operator, a)}, ${this.word(operator, b)}, ${va}, ${vb})`;
      case '|':
      case '||':
        if (b === '(0)') return va;
        return `orV(${this.word(operator, a)}, ${this.word(operator, b)}, ${va}, ${vb})`;
      case '^':
        return `(${va} | ${vb})`;
      case '<<':
      case '>>':
      case '>>>':
        if (operator === '>>>' && b === '(0)') return va;
        return vb === zero ? `((${va}) ${operator} ${b})` : `shiftedV((${va}) ${operator} ${b}, ${vb})`;
      case '===':
      case '!==':
        return `equalV(${a}, ${b}, ${va}, ${vb})`;
      default:
        return this.comparisonBits(operator, left, right);
    }
  }

  /** Compilers shift left by one by adding a register to itself: its bits are the same on both sides. */
  private sumBits(left: ts.Expression, right: ts.Expression, otherwise: string, va: string): string {
    // Only locals: a sum in the text of a call may have 33 bits.
    const [one, other] = [left, right].map((each) =>
      ts.isIdentifier(each) ? this.registers.get(each.text) : undefined,
    );
    if (one === undefined || other === undefined) return otherwise;
    return `(${one} === ${other} ? ${va} << 1 : ${otherwise})`;
  }

  /** The text of a register's number, when that is what is read. */
  protected registerOf(node: ts.Expression): string | undefined {
    const isRegister = ts.isElementAccessExpression(node) && node.expression.getText(this.source) === 'r';
    return isRegister ? this.text(node.argumentExpression) : undefined;
  }

  /** Of && and || the operands are booleans. */
  protected word(operator: string, text: string): string {
    return operator.length === 2 ? `Number(${text})` : text;
  }

  protected comparisonBits(operator: string, left: ts.Expression, right: ts.Expression): string {
    const [va, vb] = [this.bits(left), this.bits(right)];
    const [a, b] = [this.text(left), this.text(right)].map((one) => `(${one})`);
    // A sum of more than 32 bits.
    if (/0xffffffff|4294967296/.test(a + b)) return `-anyV(${va}, ${vb})`;
    const isSigned = !/>>> 0\)?$/.test(a.slice(0, -1)) && !/>>> 0\)?$/.test(b.slice(0, -1));
    if (operator === '<' || operator === '>=') return `lessV(${a}, ${b}, ${va}, ${vb}, ${isSigned})`;
    if (operator === '>' || operator === '<=') return `lessV(${b}, ${a}, ${vb}, ${va}, ${isSigned})`;
    throw new Error(`careful operation ${this.name}: no rule for ${operator}`);
  }

  protected callBits(node: ts.CallExpression): string {
    const name = node.expression.getText(this.source);
    const bits = node.arguments.map((one) => this.bits(one)).filter((one) => one !== zero);
    if (name === 'Math.clz32') return bits.length === 0 ? zero : `clzV(${this.text(node.arguments[0])}, ${bits[0]})`;
    if (name === 'Math.imul')
      return bits.length === 0 ? zero : `mulV(${this.bits(node.arguments[0])}, ${this.bits(node.arguments[1])})`;
    if (name === 'core.shift') {
      const [value, type, amount, carry] = node.arguments;
      return `safety.shift(${this.bits(value)}, ${this.text(type)}, ${this.text(amount)}, ${this.bits(carry)})`;
    }
    // XPSR and its parts have the flags in them.
    if (name === 'core.readSpecial') {
      const flags = [16, 17, 18, 19, 20, 38].map((word) => `vr[${word}]`).join(' | ');
      return `(${this.text(node.arguments[0])} < 4 ? anyV(${flags}, 0) : 0)`;
    }
    if (name === 'core.select') bits.push('vr[38]');
    if (name === 'core.reverseBytes') return bits.length === 0 ? zero : `core.reverseBytes(${bits[0]})`;
    if (name.startsWith('core.float.')) {
      const path = name.split('.');
      const { from } = this.floatOperands(node, 'float', path[path.length - 1]);
      return `anyV(${from.map((one) => `safety.pair(${one})`).join(' | ')}, 0)`;
    }
    return bits.length === 0 ? zero : `anyV(${bits.join(' | ')}, 0)`;
  }
}
