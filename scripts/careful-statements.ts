/**
 * The statements of careful operations (careful-operations.ts): declarations, assignments to locals and state words, conditions, loops,
 * calls that read or write memory; each emits lines that keep the undefined bits beside the values.
 */
import ts from 'typescript';
import { loads, stores } from './careful-calls';
import { CarefulExpressions, flagWords, zero } from './careful-expressions';
import { withoutUnused } from './careful-text';

export class CarefulOperation extends CarefulExpressions {
  body(): string {
    for (const statement of this.source.statements) this.statement(statement);
    const last = this.source.statements.at(-1)?.getText(this.source).replace(/;$/, '');
    if (!this.jumps && last !== 'STOP') this.emit('return k + len;');
    return withoutUnused(this.lines);
  }

  // --- Statements ------------------------------------------------------------------------------------------------------

  private statement(node: ts.Statement): void {
    if (ts.isBlock(node)) return this.block(node);
    if (ts.isVariableStatement(node)) return node.declarationList.declarations.forEach((one) => this.declaration(one));
    if (ts.isExpressionStatement(node)) return this.expressionStatement(node.expression);
    if (ts.isIfStatement(node)) return this.ifStatement(node);
    if (ts.isForStatement(node)) return this.forStatement(node);
    if (ts.isEmptyStatement(node)) return undefined;
    return this.refuse(node);
  }

  private block(node: ts.Block): void {
    this.emit('{');
    for (const statement of node.statements) this.statement(statement);
    this.emit('}');
  }

  private declaration(node: ts.VariableDeclaration): void {
    const name = node.name.getText(this.source);
    const { initializer } = node;
    if (initializer === undefined) {
      if (name === 'f') return;
      this.locals.add(name);
      if (name === 'h') this.defined.add(name);
      if (name === 'h') return this.emit('let h = 0;');
      this.emit(`let ${name} = 0, ${name}_ = 0;`);
      return;
    }
    // An entry of a page table: the fast way, which is not taken. `f` and `h`: where the words of a block are.
    if (/^[rw]t\[/.test(initializer.getText(this.source))) return;
    if (name === 'f') return;
    if (initializer.getText(this.source) === 'core.wide') {
      this.emit(`const ${name} = core.wide;`);
      this.defined.add(name);
      this.locals.add(name);
      return;
    }
    const register = this.registerOf(initializer);
    this.assignValue(`let ${name}`, `let ${name}_`, initializer, () => this.locals.add(name));
    if (register !== undefined) this.registers.set(name, register);
    if (this.jumps && this.jumpText !== '' && new RegExp(`\\b${name}\\b`).test(this.jumpText))
      this.checkTarget(name, `${name}_`);
  }

  /** `target` = value and `targetV` = its V bits; a load's address is checked before. */
  private assignValue(
    target: string,
    targetV: string,
    value: ts.Expression,
    declare: () => void = () => undefined,
  ): void {
    const call = this.coreCall(value);
    if (call !== undefined && call.name in loads) {
      this.checkAddress(call.arguments[0]);
      const size = this.sizeOf(loads[call.name], call);
      this.emit(`${target} = ${this.text(value)};`);
      const loaded = `safety.loaded(${this.text(call.arguments[0])}, ${size})`;
      this.emit(
        `${targetV} = ${call.name === 'loadUnprivileged' ? `safety.extended(${loaded}, ${size}, ${this.text(call.arguments[2])})` : loaded};`,
      );
      if (call.name === 'load64') this.emit(`safety.upper = safety.loaded(${this.text(call.arguments[0])} + 4, 4);`);
      return declare();
    }
    if (call !== undefined && call.name in stores) {
      const stored = stores[call.name];
      this.checkAddress(call.arguments[0]);
      const size = this.sizeOf(stored.size, call);
      this.emit(`${target} = ${this.text(value)};`);
      this.emit(`${targetV} = 0;`);
      const name = target.replace(/^let /, '');
      this.emit(
        `if (${name} === 0) safety.stored(${this.text(call.arguments[0])}, ${size}, ${this.bits(call.arguments[stored.value])});`,
      );
      return declare();
    }
    const bits = this.bits(value);
    const text = this.text(value);
    // Q and GE, which these set.
    if (text.includes('core.saturate(')) this.emit(`if ((${bits}) !== 0) vr[20] = -1;`);
    if (text.includes('core.parallel(')) this.emit(`vr[38] = ${bits}; vr[20] |= ${bits};`);
    declare();
    // The bits are those of the operands before the assignment, and the value's own is computed from them too.
    if (target.startsWith('let ')) {
      this.emit(`${targetV} = ${bits};`);
      this.emit(`${target} = ${text};`);
    } else {
      const t = this.temporary();
      this.emit(`const ${t} = ${text}; ${targetV} = ${bits}; ${target} = ${t};`);
    }
    return undefined;
  }

  private expressionStatement(node: ts.Expression): void {
    if (ts.isIdentifier(node) && node.text === 'STOP') return this.emit('return -1;');
    if (ts.isBinaryExpression(node) && isAssignment(node.operatorToken.kind)) return this.assignment(node);
    if (ts.isCallExpression(node)) return this.callStatement(node);
    return this.refuse(node);
  }

  private callStatement(node: ts.CallExpression): void {
    const name = node.expression.getText(this.source);
    if (name === 'NEAR') {
      const index = Number(node.arguments[0].getText(this.source));
      return this.emit(
        `return code[k + ${index}] !== 0 ? code[k + ${index}] : core.code.enter(code[k + ${index + 1}]);`,
      );
    }
    if (name === 'JUMP') {
      const [target] = node.arguments;
      const text = this.text(target);
      if (!/^\w+( & ~1)?$/.test(text) || text.startsWith('core')) this.checkTarget(text, this.bits(target));
      return this.emit(`return core.code.enter(${text});`);
    }
    if (name === 'CHECK_SP') {
      const [value] = node.arguments;
      this.emit(`if (${this.bits(value)} !== 0 && safety.uses('stack pointer')) return -1;`);
      this.emit(`if ((${this.text(value)}) >>> 0 < core.limit) { core.failStack(${this.text(value)}); return -1; }`);
      return this.emit(`safety.lowerStack(${this.text(value)});`);
    }
    const call = this.coreCall(node);
    if (call !== undefined && call.name in stores) {
      const stored = stores[call.name];
      this.checkAddress(call.arguments[0]);
      this.emit(`${this.text(node)};`);
      const at = this.text(call.arguments[0]);
      const size = this.sizeOf(stored.size, call);
      this.emit(`if (core.stop === 0) safety.stored(${at}, ${size}, ${this.bits(call.arguments[stored.value])});`);
      if (call.name === 'store64')
        this.emit(`if (core.stop === 0) safety.stored(${at} + 4, 4, ${this.bits(call.arguments[2])});`);
      return undefined;
    }
    this.emit(`${this.text(node)};`);
    return this.floatCall(node);
  }

  /** A call of a floating-point unit: what it writes is undefined when anything is that it reads. */
  private floatCall(node: ts.CallExpression): void {
    const path = node.expression.getText(this.source).split('.');
    const method = path[path.length - 1];
    if (method === 'setInteger' || method === 'setConverted') {
      return this.emit(`safety.setPair(${this.text(node.arguments[0])}, ${this.bits(node.arguments[1])});`);
    }
    if (path[1] !== 'fpu' && path[1] !== 'float') return undefined;
    const { to, from } = this.floatOperands(node, path[1], method);
    // RISC-V's registers are pairs of words; Arm's are when the operand is a double.
    const isWide = path[1] === 'float' ? { to: true, from: true } : this.isDouble(node, method);
    const bits = from.map((one) => (isWide.from ? `safety.pair(${one})` : `vr[${one}]`)).join(' | ') || zero;
    if (to !== undefined && isWide.to) return this.emit(`safety.setPair(${to}, ${bits});`);
    if (to !== undefined) return this.emit(`vr[${to}] = (${bits}) !== 0 ? -1 : 0;`);
    // A comparison: its flags are in FPSCR.
    return path[1] === 'fpu' ? this.emit(`vr[39] = (${bits}) !== 0 ? -1 : 0;`) : undefined;
  }

  private assignment(node: ts.BinaryExpression): void {
    const operator = node.operatorToken.getText(this.source);
    if (operator !== '=') return this.compound(node, operator.slice(0, -1));
    let value = node.right;
    const targets = [node.left];
    while (ts.isBinaryExpression(value) && value.operatorToken.kind === ts.SyntaxKind.EqualsToken) {
      targets.push(value.left);
      value = value.right;
    }
    if (targets[0].getText(this.source) === 'f') return undefined;
    if (targets.length === 1) return this.assignTo(targets[0], value);
    const [t, tV] = [this.temporary(), this.temporary()];
    this.emit(`const ${t} = ${this.text(value)}, ${tV} = ${this.bits(value)};`);
    for (const target of targets) {
      const { place, placeV } = this.place(target);
      this.emit(`${place} = ${t}; ${placeV} = ${tV};`);
    }
    return undefined;
  }

  private assignTo(target: ts.Expression, value: ts.Expression): void {
    if (ts.isElementAccessExpression(target) && this.isWideRegister(target)) return this.assignWide(target, value);
    if (ts.isIdentifier(target) && this.defined.has(target.text))
      return this.emit(`${target.text} = ${this.text(value)};`);
    const { place, placeV } = this.place(target);
    // f[h++]: the index moves once.
    if (ts.isElementAccessExpression(value) && value.argumentExpression.getText(this.source).endsWith('++')) {
      const index = this.temporary();
      this.emit(`const ${index} = ${value.argumentExpression.getText(this.source)};`);
      return this.emit(`${place} = core.transfer[${index}]; ${placeV} = safety.transfer[${index}];`);
    }
    return this.assignValue(place, placeV, value);
  }

  private compound(node: ts.BinaryExpression, operator: string): void {
    if (node.left.getText(this.source) === 'k') return this.emit(`return k + (${this.text(node.right)});`);
    const { place, placeV } = this.place(node.left);
    const bits = this.binaryBits(operator, node.left, node.right);
    const [t, tV] = [this.temporary(), this.temporary()];
    return this.emit(
      `const ${tV} = ${bits}, ${t} = ${this.text(node.left)} ${operator} (${this.text(node.right)}); ${place} = ${t}; ${placeV} = ${tV};`,
    );
  }

  /** Where a value goes, and its V bits; an index is computed once. */
  private place(target: ts.Expression): { place: string; placeV: string } {
    if (ts.isIdentifier(target)) {
      this.registers.delete(target.text);
      if (this.locals.has(target.text)) return { place: target.text, placeV: `${target.text}_` };
      const word = this.hasFlags ? flagWords[target.text] : undefined;
      if (word !== undefined) return { place: word, placeV: `v${word}` };
    }
    if (ts.isPropertyAccessExpression(target) && target.getText(this.source) === 'core.stop')
      return { place: 'core.stop', placeV: 'safety.nothing' };
    if (!ts.isElementAccessExpression(target)) return this.refuse(target);
    const array = target.expression.getText(this.source);
    const index = this.temporary();
    this.emit(`const ${index} = ${this.text(target.argumentExpression)};`);
    if (array === 'f') return { place: `core.transfer[${index}]`, placeV: `safety.transfer[${index}]` };
    if (array === 'r') return { place: `r[${index}]`, placeV: `vr[${index}]` };
    return this.refuse(target);
  }

  private assignWide(target: ts.ElementAccessExpression, value: ts.Expression): void {
    const tV = this.temporary();
    this.emit(`const ${tV} = ${this.bits(value)};`);
    this.emit(`${this.text(target)} = ${this.text(value)};`);
    this.emit(`safety.setPair(${this.wordOf(target)}, ${tV});`);
  }

  private ifStatement(node: ts.IfStatement): void {
    const condition = node.expression.getText(this.source);
    // The fast way to memory: the other branch does the same, checked.
    if (/\be\b/.test(condition))
      return node.elseStatement === undefined ? this.refuse(node) : this.inner(node.elseStatement);
    const multiple = this.coreCall(node.expression);
    if (multiple?.name === 'loadSp') {
      const [n, m] = multiple.arguments.map((one) => this.text(one));
      const registers = [n, m].map((register) => `(${register} < 0 ? 0 : vr[${register}])`).join(' | ');
      this.emit(`if ((${registers}) !== 0 && safety.uses('address')) return -1;`);
    }
    if (multiple?.name === 'loadMultiple' || multiple?.name === 'storeMultiple') {
      const [address, count] = multiple.arguments;
      this.checkAddress(address);
      this.emit(`if (${this.text(node.expression)}) return -1;`);
      const done = multiple.name === 'loadMultiple' ? 'loadedMultiple' : 'storedMultiple';
      return this.emit(`safety.${done}(${this.text(address)}, ${this.text(count)});`);
    }
    const leaves = /^\s*\{?\s*STOP;?\s*\}?\s*$/.test(node.thenStatement.getText(this.source));
    // A helper that refuses, or has done its work.
    const isCall = leaves && /\bcore\.\w+\(|\bcore\.float\b/.test(condition);
    const bits = isCall ? zero : this.bits(node.expression);
    if (this.jumps && bits !== zero) this.emit(`if ((${bits}) !== 0 && safety.uses('branch')) return -1;`);
    const changed = this.jumps || leaves || bits === zero ? [] : this.assignedIn(node);
    const vc = changed.length > 0 ? this.temporary() : '';
    if (changed.length > 0) this.emit(`const ${vc} = ${bits};`);
    this.emit(`if (${this.text(node.expression)}) {`);
    this.inner(node.thenStatement);
    this.emit('}');
    if (leaves && ts.isCallExpression(node.expression)) this.floatCall(node.expression);
    if (node.elseStatement !== undefined) {
      this.emit('else {');
      this.inner(node.elseStatement);
      this.emit('}');
    }
    // Whether it happened is not defined: nor is what it changes.
    for (const place of changed) this.emit(`if (${vc} !== 0) ${place} = -1;`);
    return undefined;
  }

  private inner(node: ts.Statement): void {
    if (ts.isBlock(node)) node.statements.forEach((one) => this.statement(one));
    else this.statement(node);
  }

  private assignedIn(node: ts.Node): string[] {
    const found: string[] = [];
    const visit = (at: ts.Node): void => {
      if (ts.isBinaryExpression(at) && isAssignment(at.operatorToken.kind)) {
        const left = at.left.getText(this.source);
        const word = this.hasFlags && !this.locals.has(left) ? flagWords[left] : undefined;
        found.push(word !== undefined ? `v${word}` : left.startsWith('r[') ? `v${this.text(at.left)}` : `${left}_`);
      }
      ts.forEachChild(at, visit);
    };
    visit(node);
    return found;
  }

  /** Registers of a list: the loop's own variables are operands. */
  private forStatement(node: ts.ForStatement): void {
    const header = /^for \((.*?)\) (?=r\[|f\[|core|\{)/.exec(node.getText(this.source));
    const { initializer } = node;
    if (header === null || initializer === undefined || !ts.isVariableDeclarationList(initializer))
      return this.refuse(node);
    for (const one of initializer.declarations) this.defined.add(one.name.getText(this.source));
    const names = initializer.declarations.map((one) => one.name.getText(this.source));
    names.forEach((name) => this.locals.add(name));
    this.emit(`for (${header[1]}) {`);
    this.inner(node.statement);
    return this.emit('}');
  }

  // --- Uses --------------------------------------------------------------------------------------------------------------

  private checkAddress(address: ts.Expression): void {
    const bits = this.bits(address);
    if (bits !== zero) this.emit(`if (${bits} !== 0 && safety.uses('address')) return -1;`);
  }

  private checkTarget(text: string, bits: string): void {
    if (bits !== zero) this.emit(`if ((${bits}) !== 0 && safety.uses('target')) return -1;`);
    this.emit(`if (safety.refusesTarget(${text})) return -1;`);
  }
}

function isAssignment(kind: ts.SyntaxKind): boolean {
  return kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;
}
