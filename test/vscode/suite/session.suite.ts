suite('in a session', () => {});
