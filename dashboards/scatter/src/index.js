// A Streamlit component (v2) that draws a million points; sends up a count and 200 rows at the most.
import { Chart } from './chart.js';

const charts = new WeakMap();

// Streamlit calls this for every message and every change of the theme, and the returned function at the end.
export default function scatter({ data, parentElement, setStateValue }) {
  let chart = charts.get(parentElement);
  if (!chart) {
    chart = new Chart(parentElement);
    charts.set(parentElement, chart);
  }
  chart.send = (selection) => setStateValue('selection', selection);
  if (data) chart.show(data);
  return () => {
    charts.delete(parentElement);
    chart.destroy();
  };
}
