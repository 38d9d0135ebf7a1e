/* SPDX-License-Identifier: BSD-2-Clause */
/* Sorts tables, and shows the first rows of long ones. The page is complete without this script. */
(function () {
  'use strict';
  const FIRST_ROWS = 20;

  function valueOf(row, column) {
    const cell = row.cells[column];
    if (cell.dataset.value !== undefined) {
      return BigInt(cell.dataset.value);
    }
    return column === 0 ? cell.textContent.toLowerCase() : null;
  }

  // What has no value comes last.
  function compare(one, other) {
    if (one === null || other === null) {
      return (one === null) - (other === null);
    }
    return one < other ? -1 : Number(one > other);
  }

  // The row of what has no row of its own stays at the end.
  function sortedRows(rows, column, isDescending) {
    const rest = rows.filter((row) => row.className === 'other');
    const keyed = rows.filter((row) => row.className !== 'other')
      .map((row) => ({ row, value: valueOf(row, column) }));
    keyed.sort((one, other) => isDescending && one.value !== null && other.value !== null
      ? compare(other.value, one.value) : compare(one.value, other.value));
    return keyed.map((item) => item.row).concat(rest);
  }

  function makeSortable(table, showFirst) {
    const body = table.tBodies[0];
    const heads = Array.from(table.tHead.rows[0].cells);

    function sort(column) {
      const head = heads[column];
      const before = head.getAttribute('aria-sort');
      const isDescending = before ? before === 'ascending' : column > 0;
      heads.forEach((other) => other.removeAttribute('aria-sort'));
      head.setAttribute('aria-sort', isDescending ? 'descending' : 'ascending');
      body.append(...sortedRows(Array.from(body.rows), column, isDescending));
      showFirst();
    }

    heads.forEach((head, column) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.append(...head.childNodes);
      button.addEventListener('click', () => sort(column));
      head.append(button);
    });
  }

  // Returns the function that hides what comes after the first rows, again after sorting.
  function shorten(table) {
    const rows = table.tBodies[0].rows;
    const count = rows.length;
    let isShort = count > FIRST_ROWS + 5;
    const showFirst = () => Array.from(rows).forEach((row, index) => {
      row.hidden = isShort && index >= FIRST_ROWS;
    });
    if (isShort) {
      const line = document.createElement('p');
      const words = document.createElement('span');
      const button = document.createElement('button');
      line.className = 'more';
      button.type = 'button';
      const say = () => {
        words.textContent = (isShort ? FIRST_ROWS + ' of ' : '') + count + ' rows';
        button.textContent = isShort ? 'Show all' : 'Show the first ' + FIRST_ROWS;
        button.setAttribute('aria-expanded', String(!isShort));
      };
      button.addEventListener('click', () => {
        isShort = !isShort;
        say();
        showFirst();
      });
      say();
      line.append(words, ' ', button);
      table.parentElement.after(line);
    }
    showFirst();
    return showFirst;
  }

  document.querySelectorAll('table.sortable').forEach((table) => {
    makeSortable(table, shorten(table));
  });
}());
