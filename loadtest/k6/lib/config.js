// Where the requests go: BASE_URL is one address or several, separated by commas.
export const bases = (__ENV.BASE_URL || 'http://127.0.0.1:8080').split(',').map(address);

// Where the metrics are read; undefined means: from whatever answers the API.
export const metricsBase = __ENV.METRICS_URL && address(__ENV.METRICS_URL);

export const resultsDirectory = __ENV.RESULTS_DIR;

function address(text) {
  const url = text.trim().replace(/\/+$/, '');
  if (!/^https?:\/\/[^/]+/.test(url)) {
    throw new Error(`not an address of the service: "${text}"`);
  }
  return url;
}
