/**
 * The name of a stack frame as a client asks for it (StackFrameFormat), in the order that other adapters have: module, function,
 * parameters with types, names and values, line.
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { formatValue } from '../lib/dwarf/format';
import { variableValue } from '../lib/dwarf/value';
import { frameName } from '../lib/program/frame-name';
import { localsOf } from './frame-variables';
import type { SessionState } from './session-state';
import type { FrameReference } from './stack-trace';
import { formatOptions } from './value-text';

export async function formattedName(
  session: SessionState,
  reference: FrameReference,
  { name, line }: DebugProtocol.StackFrame,
  format: DebugProtocol.StackFrameFormat,
): Promise<string> {
  const { stop, frame } = reference;
  const module = format.module === true ? stop.inferior.extensionAt(frame.lookupPc)?.instance.name : undefined;
  const list = format.parameters === true && frame.function !== undefined ? await parameterList(reference, format) : '';
  const place = format.line === true && frame.position !== undefined ? ` Line ${session.toClientLine(line)}` : '';
  // What the frame is stands last.
  const [kind] = / \[(inlined|tail call)\]$/.exec(name) ?? [''];
  const plain = frameName(frame, 'never') ?? name.slice(0, name.length - kind.length);
  const shown = list === '' ? name : `${plain}${list}${kind}`;
  return `${module === undefined ? '' : `${module}!`}${shown}${place}`;
}

async function parameterList(
  { stop, frame }: FrameReference,
  { parameterTypes, parameterNames, parameterValues, hex }: DebugProtocol.StackFrameFormat,
): Promise<string> {
  const { inferior } = stop;
  const options = { ...formatOptions(inferior), ...(hex === true ? { hex: true } : {}) };
  const parameters = localsOf(frame).filter(({ variable, captured }) => variable.isParameter && captured === undefined);
  const texts: string[] = [];
  for (const { name, variable } of parameters) {
    const value = await inferior.query(variableValue(variable, frame.frame));
    const words = [parameterTypes === true ? value.type.displayName : '', parameterNames === true ? name : ''];
    const declared = words.filter((word) => word !== '').join(' ');
    const shown = parameterValues === true ? await inferior.query(formatValue(value, options)) : '';
    texts.push([declared, shown].filter((part) => part !== '').join('='));
  }
  return `(${texts.join(', ')})`;
}
