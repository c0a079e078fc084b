import{a as n}from"./chunk-DJWU5MCK.js";import{e}from"./chunk-VUJKWCT3.js";var t=e(n(),1),o=(0,t.createContext)({});function r(){return(0,t.useContext)(o)}export{o as a,r as b};
