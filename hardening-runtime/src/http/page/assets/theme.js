"use strict";

// Light or dark: as the system has it, until somebody says otherwise here.

const THEME = "hardening-theme";
const dark = matchMedia("(prefers-color-scheme: dark)");

function rememberedTheme() {
  try {
    return localStorage.getItem(THEME);
  } catch {
    return null; // storage is switched off
  }
}

function rememberTheme(theme) {
  try {
    localStorage.setItem(THEME, theme);
  } catch {
    // then it lasts as long as the page
  }
}

function showTheme(theme) {
  document.documentElement.dataset.theme = theme;
  const button = document.getElementById("theme");
  if (button) button.setAttribute("aria-pressed", String(theme === "dark"));
}

function startTheme() {
  showTheme(rememberedTheme() ?? (dark.matches ? "dark" : "light"));
}

function wireTheme() {
  document.getElementById("theme").addEventListener("click", () => {
    const other = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    rememberTheme(other);
    showTheme(other);
  });
  dark.addEventListener("change", () => {
    if (!rememberedTheme()) startTheme();
  });
}

startTheme(); // before anything is drawn

