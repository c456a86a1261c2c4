import { errors } from './errors';
export function evaluate(): void {
  throw errors.badExpression('not yet');
}
export function setExpression(): void {
  throw errors.badExpression('not yet');
}
