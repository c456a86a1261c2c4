/** Constant expressions (C11 6.6): what has its value without the program. */
import type { Frame } from '../dwarf/unwind-frame';
import { Evaluation } from './evaluate';
import type { TypedNode } from './typed';

/** undefined: the program must be asked. */
export function constantValue(node: TypedNode, frame: Frame): bigint | number | undefined {
  if (!isConstant(node)) return undefined;
  const step = new Evaluation({ frame }).number(node).next();
  return step.done === true ? step.value : undefined;
}

function isConstant(node: TypedNode): boolean {
  switch (node.kind) {
    case 'constant':
      return true;
    case 'convert':
    case 'negate':
    case 'complement':
    case 'not':
      return isConstant(node.operand);
    case 'arithmetic':
    case 'compare':
    case 'and':
    case 'or':
      return isConstant(node.left) && isConstant(node.right);
    case 'conditional':
      return isConstant(node.condition) && (!node.then || isConstant(node.then)) && isConstant(node.otherwise);
    default:
      return false;
  }
}
