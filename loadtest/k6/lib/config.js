// What the environment says. BASE_URL is one address or several, separated by commas: where the requests go.
export const bases = (__ENV.BASE_URL || 'http://127.0.0.1:8080').split(',').map(address);

// Where the metrics are read; undefined means: from whatever answers the API.
export const metricsBase = __ENV.METRICS_URL && address(__ENV.METRICS_URL);

export const resultsDirectory = __ENV.RESULTS_DIR;

// Returns the number that a variable holds, undefined where it is not set. Throws an Error that names what is wrong.
export function number(name, { from, to, whole = false }) {
  const text = __ENV[name];
  if (!text) {
    return undefined;
  }
  const value = Number(text);
  if (!(value >= from && value <= to) || (whole && !Number.isInteger(value))) {
    throw new Error(`${name} is a ${whole ? 'whole ' : ''}number from ${from} to ${to}, not "${text}"`);
  }
  return value;
}

function address(text) {
  const url = text.trim().replace(/\/+$/, '');
  if (!/^https?:\/\/[^/]+/.test(url)) {
    throw new Error(`not an address of the service: "${text}"`);
  }
  return url;
}
